"""`kill -9` of one part while events stream in: everything accepted is settled, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.embedded.helpers.inventory import JOBS, REVISIONS, SERVICES, TRIGGERS, owned, tags
from tests.embedded.helpers.killing import kill_all, killing
from tests.helpers.changing_folders import regular_files
from tests.helpers.http_client import post_event
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.helpers.gated_wheel import GatedWheel

COUNT = 5
BUILD_STARTED = "dev.knative-lambda.build.started.v1"
SUBSCRIBED = {"subscriptions": [{"type": "com.example.counted"}]}


def source(number: int) -> dict[str, str]:
    return {"main.py": f"def handler(event):\n    print('ran', event['id'])\n    return {number}\n"}


def deploy_many(platform: EmbeddedPlatform, gate: GatedWheel | None = None) -> list[str]:
    """Ask for many; with a gate, every other one has a package installed."""
    names = [f"lambda-{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        files = source(number)
        if gate is not None and number % 2:
            files["requirements.txt"] = gate.requirement
        sent = platform.send_build_start(name, files, spec=SUBSCRIBED)
        assert sent.status == 202
    return names


def assert_all_serve(platform: EmbeddedPlatform, jobs: dict[str, int]) -> None:
    """Each has one of each object, so many Jobs, and answers; every delivery was made."""
    for name in jobs:
        platform.await_phase(name, "Ready")
    events = platform.await_settled()
    states = {delivery["state"] for event in events for delivery in event["triggers"]}
    assert states == {"delivered"}
    for number, name in enumerate(jobs):
        counts = [len(owned(platform, path, name)) for path in (JOBS, SERVICES, TRIGGERS)]
        assert (name, counts) == (name, [jobs[name], 1, 1])
        assert len(owned(platform, REVISIONS, name)) == 1
        assert tags(platform, name) == ["build", *["packages"] * jobs[name]]
        assert post_event(platform.url(name), {}, type="t").data == number


def without_jobs(names: list[str]) -> dict[str, int]:
    return dict.fromkeys(names, 0)


def in_both_lanes(names: list[str]) -> dict[str, int]:
    return {name: number % 2 for number, name in enumerate(names)}


@pytest.mark.parametrize("function", ["build-start", "publish", "build-complete"])
def test_deploys_end_well_though_a_control_function_is_killed(
    own_platform: EmbeddedPlatform, gate: GatedWheel, function: str
):
    gate.open()
    with killing(own_platform, f"functions/{function}/main.py", times=4) as killed:
        names = deploy_many(own_platform, gate)
        assert_all_serve(own_platform, in_both_lanes(names))

    assert killed
    assert own_platform.dead_letters() == []


def test_a_build_ends_well_though_whoever_follows_it_is_killed(
    own_platform: EmbeddedPlatform, gate: GatedWheel
):
    files = {**source(0), "requirements.txt": gate.requirement}
    own_platform.send_build_start("lambda-0", files, spec=SUBSCRIBED)
    gate.await_build()

    def follows() -> dict[str, Any]:
        (started,) = own_platform.events(subject="default/lambda-0", type=BUILD_STARTED)
        (delivery,) = started["triggers"]
        return delivery

    wait_for(lambda: follows()["state"] == "pending")
    followers = own_platform.processes("functions/build-complete/main.py")
    kill_all(followers)
    wait_for(lambda: not set(followers) & set(own_platform.processes()))
    gate.open()

    assert followers
    assert_all_serve(own_platform, {"lambda-0": 1})
    assert follows()["attempts"] > 1


def test_an_image_is_made_though_publish_is_killed_once_the_packages_are_kept(
    own_platform: EmbeddedPlatform, gate: GatedWheel
):
    gate.open()
    files = {**source(0), "requirements.txt": gate.requirement}
    own_platform.send_build_start("lambda-0", files, spec=SUBSCRIBED)

    wait_for(lambda: tags(own_platform, "lambda-0"))
    kill_all(own_platform.processes("functions/publish/main.py"))

    assert_all_serve(own_platform, {"lambda-0": 1})
    kept = regular_files(own_platform.home / "storage/knative-lambda/packages")
    assert [path for path in kept if path.parent.name == "lambda-0"] == []


def test_deletions_end_well_though_their_function_is_killed(own_platform: EmbeddedPlatform):
    names = deploy_many(own_platform)
    assert_all_serve(own_platform, without_jobs(names))

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
    assert_all_serve(own_platform, without_jobs(names))

    with killing(own_platform, "functions/cleanup/main.py", times=3) as killed:
        for _ in range(COUNT):
            assert own_platform.send_cleanup().status == 202
        own_platform.await_settled()

    assert killed
    assert own_platform.dead_letters() == []
    assert_all_serve(own_platform, without_jobs(names))


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

    kill_all(own_platform.processes("lambda_builder.packages"))
    gate.open()

    assert_all_serve(own_platform, {"lambda-0": 1})


def test_builds_end_well_though_they_are_killed_at_moments_that_differ(
    own_platform: EmbeddedPlatform, gate: GatedWheel
):
    gate.open()
    # Fewer than a Job's attempts, so that it is never given up.
    with killing(own_platform, "lambda_builder.packages", times=2) as killed:
        names = deploy_many(own_platform, gate)
        assert_all_serve(own_platform, in_both_lanes(names))

    assert killed
    assert own_platform.processes("lambda_builder") == []
