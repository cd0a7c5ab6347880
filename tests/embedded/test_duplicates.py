"""Events that come twice, at once, or in the wrong order."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.embedded.helpers.inventory import JOBS, PODS, REVISIONS, SERVICES, TRIGGERS, owned, tags
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.embedded.helpers.lanes import Lane

TIMES = 20
SUBSCRIPTION = {"subscriptions": [{"type": "com.example.unheard"}]}


def answering(word: str) -> dict[str, str]:
    return {"main.py": f"def handler(event):\n    return {word!r}\n"}


def call(platform: EmbeddedPlatform, name: str) -> object:
    answer = post_event(platform.url(name), {}, type="com.example.asked")
    assert answer.status == 200, answer
    return answer.data


def assert_there_is_one_of_each(platform: EmbeddedPlatform, name: str, lane: Lane) -> None:
    """One image, one Service with one Revision, one Trigger; one Job that ran once, if any."""
    found = {
        path: len(owned(platform, path, name)) for path in (JOBS, SERVICES, REVISIONS, TRIGGERS)
    }
    assert found == {JOBS: lane.jobs, SERVICES: 1, REVISIONS: 1, TRIGGERS: 1}
    for job in owned(platform, JOBS, name):
        runs = platform.list(PODS, **{"job-name": job["metadata"]["name"]})
        assert len(runs) == 1
    assert tags(platform, name) == ["build", *["packages"] * lane.jobs]


def assert_every_delivery_succeeded(platform: EmbeddedPlatform, name: str) -> None:
    events = platform.await_settled()
    about = [e for e in events if e["attributes"].get("subject") == f"default/{name}"]
    states = {delivery["state"] for event in about for delivery in event["triggers"]}
    assert states == {"delivered"}


def ready_ids(platform: EmbeddedPlatform, name: str) -> set[str]:
    ready = "dev.knative-lambda.function.ready.v1"
    events = platform.events(subject=f"default/{name}", type=ready)
    return {event["attributes"]["id"] for event in events}


def test_one_event_delivered_twenty_times_makes_one_of_each(
    platform: EmbeddedPlatform, unique_name: str, lane: Lane
):
    source = {**answering("one"), **lane.files}
    same = {"id": uuid.uuid4().hex, "time": datetime.now(UTC).isoformat()}
    for _ in range(TIMES):
        sent = platform.send_build_start(unique_name, source, spec=SUBSCRIPTION, **same)
        assert sent.status == 202

    platform.await_phase(unique_name, "Ready")
    assert_every_delivery_succeeded(platform, unique_name)
    assert_there_is_one_of_each(platform, unique_name, lane)
    assert len(ready_ids(platform, unique_name)) == 1
    assert call(platform, unique_name) == "one"


def test_one_event_delivered_twenty_times_at_once_makes_one_of_each(
    platform: EmbeddedPlatform, unique_name: str, lane: Lane
):
    source = {**answering("one"), **lane.files}
    same = {"id": uuid.uuid4().hex, "time": datetime.now(UTC).isoformat()}

    def send(_number: int) -> int:
        return platform.send_build_start(unique_name, source, spec=SUBSCRIPTION, **same).status

    with ThreadPoolExecutor(TIMES) as senders:
        assert set(senders.map(send, range(TIMES))) == {202}

    platform.await_phase(unique_name, "Ready")
    assert_every_delivery_succeeded(platform, unique_name)
    assert_there_is_one_of_each(platform, unique_name, lane)
    assert call(platform, unique_name) == "one"


def test_twenty_requests_for_the_same_source_at_once_make_one_of_each(
    platform: EmbeddedPlatform, unique_name: str, lane: Lane
):
    source = {**answering("same"), **lane.files}

    def send(_number: int) -> int:
        return platform.send_build_start(unique_name, source, spec=SUBSCRIPTION).status

    with ThreadPoolExecutor(TIMES) as senders:
        assert set(senders.map(send, range(TIMES))) == {202}

    platform.await_phase(unique_name, "Ready")
    assert_every_delivery_succeeded(platform, unique_name)
    platform.await_phase(unique_name, "Ready")
    assert_there_is_one_of_each(platform, unique_name, lane)
    assert call(platform, unique_name) == "same"


def test_of_different_requests_at_once_the_newest_serves(
    platform: EmbeddedPlatform, unique_name: str
):
    began = datetime.now(UTC) - timedelta(seconds=TIMES)

    def send(number: int) -> int:
        time = (began + timedelta(seconds=number)).isoformat()
        return platform.send_build_start(unique_name, answering(f"n{number}"), time=time).status

    with ThreadPoolExecutor(TIMES) as senders:
        assert set(senders.map(send, range(TIMES))) == {202}

    assert_every_delivery_succeeded(platform, unique_name)
    platform.await_phase(unique_name, "Ready")
    assert call(platform, unique_name) == f"n{TIMES - 1}"
    assert len(owned(platform, SERVICES, unique_name)) == 1


def test_an_older_request_that_comes_last_is_superseded(
    platform: EmbeddedPlatform, unique_name: str
):
    now = datetime.now(UTC)
    older, newer = (now - timedelta(minutes=1)).isoformat(), now.isoformat()

    platform.send_build_start(unique_name, answering("newer"), time=newer)
    # The record says so a moment before the event does, and the order of events is what counts.
    wait_for(lambda: "function.ready.v1" in platform.types(unique_name))
    platform.send_build_start(unique_name, answering("older"), time=older)
    platform.await_settled()

    assert platform.types(unique_name)[-1] == "build.superseded.v1"
    assert platform.phase(unique_name) == "Ready"
    assert call(platform, unique_name) == "newer"
    assert tags(platform, unique_name) == ["build"]


def test_requests_in_the_wrong_order_while_the_newer_still_builds(
    platform: EmbeddedPlatform, unique_name: str, gate
):
    now = datetime.now(UTC)
    source = {**answering("newer"), "requirements.txt": gate.requirement}
    platform.send_build_start(unique_name, source, time=now.isoformat())
    gate.await_build()
    for minutes in (1, 3, 2):
        time = (now - timedelta(minutes=minutes)).isoformat()
        platform.send_build_start(unique_name, answering(f"older {minutes}"), time=time)
    gate.open()

    platform.await_phase(unique_name, "Ready")
    assert_every_delivery_succeeded(platform, unique_name)
    assert platform.types(unique_name).count("build.superseded.v1") == 3
    assert call(platform, unique_name) == "newer"


def test_a_newer_request_overtakes_the_build_of_an_older_one(
    platform: EmbeddedPlatform, unique_name: str, gate
):
    source = {**answering("older"), "requirements.txt": gate.requirement}
    platform.send_build_start(unique_name, source)
    gate.await_build()
    platform.send_build_start(unique_name, answering("newer"))
    platform.await_phase(unique_name, "Ready")
    gate.open()
    assert_every_delivery_succeeded(platform, unique_name)

    assert call(platform, unique_name) == "newer"
    assert len(ready_ids(platform, unique_name)) == 1


def test_the_same_request_from_two_senders_is_told_apart_by_its_id(
    platform: EmbeddedPlatform, unique_name: str
):
    time = datetime.now(UTC).isoformat()
    for identity, word in (("b", "greater id"), ("a", "lesser id")):
        platform.send_build_start(unique_name, answering(word), time=time, id=identity)

    assert_every_delivery_succeeded(platform, unique_name)
    platform.await_phase(unique_name, "Ready")
    assert call(platform, unique_name) == "greater id"
    starts = platform.events(subject=f"default/{unique_name}", type=BUILD_START)
    assert len(starts) == 2
