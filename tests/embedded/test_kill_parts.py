"""`kill -9` of one part while events stream in: everything accepted is settled, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.inventory import JOBS, REVISIONS, SERVICES, TRIGGERS, owned
from tests.embedded.helpers.killing import kill_all, killing
from tests.helpers.http_client import post_event
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

COUNT = 5
SUBSCRIBED = {"subscriptions": [{"type": "com.example.counted"}]}


def source(number: int) -> dict[str, str]:
    return {"main.py": f"def handler(event):\n    print('ran', event['id'])\n    return {number}\n"}


def deploy_many(platform: EmbeddedPlatform) -> list[str]:
    names = [f"lambda-{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        sent = platform.send_build_start(name, source(number), spec=SUBSCRIBED)
        assert sent.status == 202
    return names


def assert_all_serve(platform: EmbeddedPlatform, names: list[str]) -> None:
    """Each has one of each object and answers; every delivery was made."""
    for name in names:
        platform.await_phase(name, "Ready")
    events = platform.await_settled()
    states = {delivery["state"] for event in events for delivery in event["triggers"]}
    assert states == {"delivered"}
    for number, name in enumerate(names):
        counts = [len(owned(platform, path, name)) for path in (JOBS, SERVICES, TRIGGERS)]
        assert (name, counts) == (name, [1, 1, 1])
        assert len(owned(platform, REVISIONS, name)) == 1
        assert post_event(platform.url(name), {}, type="t").data == number


@pytest.mark.parametrize("function", ["build-start", "build-complete"])
def test_deploys_end_well_though_a_control_function_is_killed(
    own_platform: EmbeddedPlatform, function: str
):
    with killing(own_platform, f"functions/{function}/main.py", times=4) as killed:
        names = deploy_many(own_platform)
        assert_all_serve(own_platform, names)

    assert killed
    assert own_platform.dead_letters() == []


def test_deletions_end_well_though_their_function_is_killed(own_platform: EmbeddedPlatform):
    names = deploy_many(own_platform)
    assert_all_serve(own_platform, names)

    with killing(own_platform, "functions/delete/main.py", times=4) as killed:
        for name in names:
            own_platform.send_delete(name)
        own_platform.await_settled()

    assert killed
    assert own_platform.dead_letters() == []
    for name in names:
        assert own_platform.types(name)[-1] == "function.deleted.v1"
        assert own_platform.record(name) is None
        wait_for(
            lambda name=name: (
                not any(
                    owned(own_platform, path, name)
                    for path in (JOBS, SERVICES, TRIGGERS, REVISIONS)
                )
            )
        )


def test_cleanups_end_well_though_their_function_is_killed(own_platform: EmbeddedPlatform):
    names = deploy_many(own_platform)
    assert_all_serve(own_platform, names)

    with killing(own_platform, "functions/cleanup/main.py", times=3) as killed:
        for _ in range(COUNT):
            sent = post_event(
                own_platform.control_broker,
                {},
                headers=own_platform.authorization,
                type="dev.knative-lambda.cleanup.v1",
            )
            assert sent.status == 202
        own_platform.await_settled()

    assert killed
    assert own_platform.dead_letters() == []
    assert_all_serve(own_platform, names)


def test_events_reach_a_lambda_though_it_is_killed(own_platform: EmbeddedPlatform, write_function):
    own_platform.send_build_start("victim", source(1), spec=SUBSCRIBED)
    own_platform.await_phase("victim", "Ready")

    with killing(own_platform, "/runtime/server.py", times=4) as killed:
        for number in range(30):
            sent = post_event(
                own_platform.tenant_broker,
                {},
                headers=own_platform.authorization,
                type="com.example.counted",
                id=str(number),
            )
            assert sent.status == 202
        events = own_platform.await_settled()

    assert killed
    counted = [e for e in events if e["attributes"]["type"] == "com.example.counted"]
    assert len(counted) == 30
    for event in counted:
        (delivery,) = event["triggers"]
        assert delivery["state"] == "delivered"
    # A reply's id is derived, so a second delivery repeats it: one reply an event.
    assert len({event["triggers"][0]["replyId"] for event in counted}) == 30


def test_a_build_whose_container_is_killed_is_run_again(own_platform: EmbeddedPlatform, gate):
    files = {**source(0), "requirements.txt": gate.requirement}
    own_platform.send_build_start("lambda-0", files, spec=SUBSCRIBED)
    gate.await_build()

    kill_all(own_platform.processes("lambda_builder.build"))
    gate.open()

    assert_all_serve(own_platform, ["lambda-0"])


@pytest.mark.parametrize("step", ["fetch", "build", "publish"])
def test_builds_end_well_though_their_steps_are_killed(own_platform: EmbeddedPlatform, step: str):
    # Fewer than a Job's attempts, so that it is never given up. Fetch is told to become build, so
    # both have that name: how old a victim is decides which of them it was.
    with killing(own_platform, f"lambda_builder.{step}", times=2):
        names = deploy_many(own_platform)
        assert_all_serve(own_platform, names)

    assert own_platform.processes("lambda_builder") == []
