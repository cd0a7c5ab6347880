from __future__ import annotations

import json
import sys
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.helpers.platform_access import token_header
from tests.integration.platform.helpers.platform_process import (
    PlatformProcess,
    processes_of,
    wait_until,
)

if TYPE_CHECKING:
    from pathlib import Path

RUNTIME_NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
SOURCE = "def handler(event):\n    return {'hello': event.data['name']}\n"


def post(
    url: str, data: object, *, show: dict[str, str] | None = None, **attributes: str
) -> tuple[int, object]:
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    request = urllib.request.Request(
        url,
        data=json.dumps(data).encode(),
        headers={
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            **headers,
            **(show or {}),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        body = response.read()
        return response.status, json.loads(body) if body else None


def types_of(platform: PlatformProcess) -> set[str]:
    url = platform.facts["urls"]["broker"] + "/-/events?subject=default/greeter"
    request = urllib.request.Request(url, headers=token_header(platform.home))
    with urllib.request.urlopen(request, timeout=10) as response:
        return {event["attributes"]["type"] for event in json.load(response)["events"]}


@pytest.fixture
def whole_platform(tmp_path: Path):
    """A platform with the control functions and the configuration of this checkout."""
    arguments = ["--port", "0", "--broker-port", "0", "--api-port", "0"]
    process = PlatformProcess(tmp_path / "home", arguments).start()
    yield process
    if process.process.poll() is None:
        process.kill()


def test_one_event_makes_a_running_function_that_kill_9_does_not_take_away(
    whole_platform: PlatformProcess,
):
    urls = whole_platform.facts["urls"]
    spec = {"runtime": RUNTIME_NAME, "source": {"inline": {"main.py": SOURCE}}}
    accepted, _ = post(
        f"{urls['broker']}/knative-lambda/knative-lambda",
        spec,
        show=token_header(whole_platform.home),
        id="1",
        source="/tests",
        type="dev.knative-lambda.build.start.v1",
        subject="default/greeter",
        time=datetime.now(UTC).isoformat(),
    )
    assert accepted == 202
    wait_until(lambda: "dev.knative-lambda.function.ready.v1" in types_of(whole_platform))
    event = {"id": "2", "source": "/tests", "type": "greeting.asked"}
    response = post(f"{urls['gateway']}/default/greeter", {"name": "World"}, **event)
    assert response == (200, {"hello": "World"})

    whole_platform.kill()
    whole_platform.start()

    assert post(f"{urls['gateway']}/default/greeter", {"name": "again"}, **event) == (
        200,
        {"hello": "again"},
    )
    assert whole_platform.stop()[0] == 0
    assert processes_of(whole_platform.home) == []
