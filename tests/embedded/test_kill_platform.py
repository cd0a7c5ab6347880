"""`kill -9` of the platform, and of every process at once, while deploys and events stream in."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.error import URLError

import pytest

from kn_lambda.errors import ExitCode
from tests.embedded.helpers.inventory import (
    JOBS,
    REVISIONS,
    SERVICES,
    TRIGGERS,
    files,
    objects,
    owned,
    tags,
)
from tests.embedded.helpers.killing import kill_all
from tests.helpers.changing_folders import paths_below
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START, PYTHON
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.helpers.gated_wheel import GatedWheel

COUNT = 10
COUNTED = "com.example.counted"
KINDS = (JOBS, SERVICES, TRIGGERS, REVISIONS)


def source(number: int) -> dict[str, str]:
    return {"main.py": f"def handler(event):\n    return {number}\n"}


def jobs_of(number: int) -> int:
    """Every other lambda has a package installed."""
    return number % 2


class Sender:
    """Sends one event after another, each until the Broker says that it has it."""

    def __init__(self, platform: EmbeddedPlatform, requirement: str) -> None:
        self.accepted: list[str] = []
        self._requirement = requirement
        self._control = platform.control_broker
        self._tenant = platform.tenant_broker
        self._authorization = platform.authorization
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_all)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def finish(self) -> None:
        """Wait until everything was accepted."""
        self._thread.join(timeout=120)
        assert not self._thread.is_alive()

    def _send_all(self) -> None:
        for number in range(COUNT):
            files = source(number)
            if jobs_of(number):
                files["requirements.txt"] = self._requirement
            spec = {
                "runtime": PYTHON,
                "source": {"inline": files},
                "subscriptions": [{"type": COUNTED}],
            }
            attributes = {
                "time": datetime.now(UTC).isoformat(),
                "subject": f"default/lambda-{number}",
            }
            self._send(self._control, spec, type=BUILD_START, **attributes)
            self._send(self._tenant, {}, type=COUNTED)

    def _send(self, url: str, data: object, **attributes: str) -> None:
        identity = uuid.uuid4().hex
        while not self._ended.is_set():
            try:
                sent = post_event(url, data, headers=self._authorization, id=identity, **attributes)
                if sent.status == 202:
                    self.accepted.append(identity)
                    return
            except (URLError, ConnectionError, TimeoutError):
                # Nobody is there: it is killed and started again meanwhile.
                self._ended.wait(0.05)


def is_moment(sender: Sender, platform: EmbeddedPlatform, moment: str) -> bool:
    match moment:
        case "first event":
            return bool(sender.accepted)
        case "first build":
            return bool(platform.processes("lambda_builder"))
        case "first image":
            return any(tags(platform, f"lambda-{number}") for number in range(COUNT))
        case "half of the events":
            return len(sender.accepted) >= COUNT
        case "first lambda":
            return bool(platform.processes("/runtime/server.py"))
    raise ValueError(moment)


def assert_nothing_is_lost(platform: EmbeddedPlatform, sender: Sender) -> None:
    events = platform.await_settled()
    journal = {event["attributes"]["id"] for event in events}
    assert set(sender.accepted) <= journal
    states = {delivery["state"] for event in events for delivery in event["triggers"]}
    assert states == {"delivered"}
    assert platform.dead_letters() == []


def assert_one_of_each(platform: EmbeddedPlatform) -> None:
    for number in range(COUNT):
        name = f"lambda-{number}"
        platform.await_phase(name, "Ready")
        found = [len(owned(platform, path, name)) for path in KINDS]
        assert (name, found) == (name, [jobs_of(number), 1, 1, 1])
        assert tags(platform, name) == ["build", *["packages"] * jobs_of(number)]
        assert post_event(platform.url(name), {}, type="t").data == number


def assert_no_orphans(platform: EmbeddedPlatform) -> None:
    """No build goes on, and every other process is a Pod's that the API knows."""
    assert platform.processes("lambda_builder") == []
    pods = {item["metadata"]["name"] for item in platform.list("/api/v1/pods")}
    logs = {path for path in paths_below(platform.home / "pods") if path.parents[1].name == "pods"}
    assert {path.name for path in logs} <= pods
    assert "source" not in {path.name for path in paths_below(platform.home / "builds")}


def kill_everything(platform: EmbeddedPlatform) -> None:
    """The platform first, then what its death did not take along."""
    platform.process.kill()
    kill_all(platform.processes())
    platform.process.wait()
    wait_for(lambda: not platform.processes())


def kill_platform_alone(platform: EmbeddedPlatform) -> None:
    platform.kill()


@pytest.mark.parametrize("kill", [kill_platform_alone, kill_everything])
def test_kill_9_at_several_moments_loses_nothing_and_does_nothing_twice(
    own_platform: EmbeddedPlatform, gate: GatedWheel, kill: Callable[[EmbeddedPlatform], None]
):
    gate.open()
    moments = "first event", "first build", "first image", "half of the events", "first lambda"
    with Sender(own_platform, gate.requirement) as sender:
        for moment in moments:
            wait_for(lambda moment=moment: is_moment(sender, own_platform, moment))
            kill(own_platform)
            own_platform.start()
        sender.finish()

        assert_one_of_each(own_platform)
        assert_nothing_is_lost(own_platform, sender)

    assert len(sender.accepted) == 2 * COUNT
    assert_no_orphans(own_platform)
    assert own_platform.stop() == 0
    assert own_platform.processes() == []


def test_deletions_that_kill_9_interrupts_leave_nothing(
    own_platform: EmbeddedPlatform, gate: GatedWheel
):
    gate.open()
    own_platform.await_settled()
    before = objects(own_platform), files(own_platform)
    with Sender(own_platform, gate.requirement) as sender:
        sender.finish()
        assert_one_of_each(own_platform)
        assert_nothing_is_lost(own_platform, sender)

    for number in range(COUNT):
        own_platform.send_delete(f"lambda-{number}")
        if number in {3, 7}:
            kill_everything(own_platform)
            own_platform.start()

    own_platform.await_settled()
    tombstones = "storage/knative-lambda/deleted"
    wait_for(lambda: objects(own_platform) <= before[0])
    wait_for(lambda: files(own_platform, without=tombstones) <= before[1])


def test_a_platform_that_is_killed_while_it_starts_starts_again(own_platform: EmbeddedPlatform):
    own_platform.send_build_start("steady", source(1))
    own_platform.await_phase("steady", "Ready")

    for place in ("lock", "platform.json", "lock"):
        own_platform.kill()
        (own_platform.home / "platform.json").unlink(missing_ok=True)
        (own_platform.home / "lock").unlink(missing_ok=True)
        own_platform.launch()
        wait_for(lambda place=place: (own_platform.home / place).exists())
    own_platform.kill()
    # What it left behind names a process that is gone, or by now another one.
    stopped = own_platform.kn_lambda("down")
    assert (stopped.returncode, stopped.stdout.split()[-2:]) == (0, ["not", "running."])
    listed = own_platform.kn_lambda("list")
    assert listed.returncode == ExitCode.UNREACHABLE
    assert f"kn-lambda up --home {own_platform.home}" in listed.stderr
    own_platform.start()

    assert post_event(own_platform.url("steady"), {}, type="t").data == 1
