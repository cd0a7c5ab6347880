"""A registry that cannot be reached while an image is made: the request is kept, not failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.embedded.helpers.inventory import tags
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import BUILD_START
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.embedded.helpers.lanes import Lane
    from tests.helpers.gated_wheel import GatedWheel

HELLO = {"main.py": "def handler(event):\n    return 'hello'\n"}
BUILD_PACKAGED = "dev.knative-lambda.build.packaged.v1"


class Outage:
    """What is in the place of a lambda's repository: nothing can be read or written there."""

    def __init__(self, platform: EmbeddedPlatform, name: str) -> None:
        self._place: Path = platform.home / "registry" / "default" / name

    def begin(self) -> None:
        self._place.parent.mkdir(parents=True, exist_ok=True)
        self._place.write_bytes(b"")

    def end(self) -> None:
        self._place.unlink()


@pytest.fixture
def outage(platform: EmbeddedPlatform, unique_name: str) -> Outage:
    return Outage(platform, unique_name)


def delivery_to(
    platform: EmbeddedPlatform, name: str, *, event: str, function: str
) -> dict[str, Any]:
    """The newest delivery of such an event about a lambda, or nothing."""
    return next(
        (
            delivery
            for each in platform.events(subject=f"default/{name}", type=event)
            for delivery in each["triggers"]
            if delivery["name"] == function
        ),
        {},
    )


def assert_it_serves(platform: EmbeddedPlatform, name: str, lane_tags: list[str]) -> None:
    platform.await_phase(name, "Ready")
    platform.await_settled()
    assert tags(platform, name) == lane_tags
    assert platform.dead_letters(subject=f"default/{name}") == []
    assert post_event(platform.url(name), {}, type="t").data == "hello"


def test_a_request_outlives_a_registry_that_is_down_when_it_comes(
    platform: EmbeddedPlatform, unique_name: str, outage: Outage, lane: Lane
):
    outage.begin()
    platform.send_build_start(unique_name, {**HELLO, **lane.files})

    def attempts() -> int:
        delivery = delivery_to(platform, unique_name, event=BUILD_START, function="build-start")
        return delivery.get("attempts", 0)

    wait_for(lambda: attempts() > 1)
    assert platform.phase(unique_name) != "Failed"
    outage.end()

    assert_it_serves(platform, unique_name, ["build", *["packages"] * lane.jobs])


def test_installed_packages_outlive_a_registry_that_is_down_when_they_come(
    platform: EmbeddedPlatform, unique_name: str, outage: Outage, gate: GatedWheel
):
    platform.send_build_start(unique_name, {**HELLO, "requirements.txt": gate.requirement})
    gate.await_build()
    outage.begin()
    gate.open()

    def attempts() -> int:
        delivery = delivery_to(platform, unique_name, event=BUILD_PACKAGED, function="publish")
        return delivery.get("attempts", 0)

    wait_for(lambda: attempts() > 1)
    assert platform.phase(unique_name) == "Building"
    outage.end()

    assert_it_serves(platform, unique_name, ["build", "packages"])
