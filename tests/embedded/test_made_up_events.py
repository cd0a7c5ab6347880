"""What somebody who may send to the Broker can, and cannot, change by events that are made up."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.helpers.gated_wheel import GatedWheel

GATED = "import gated\n\ndef handler(event):\n    return gated.VALUE\n"
PLAIN = "def handler(event):\n    return 'plain'\n"
FAILURE = {"failure": {"reason": "MadeUp", "message": "made up", "isUsers": True}}
FAILED = {"reason": "MadeUp", "message": "made up", "retryable": False, "log": "made up"}
MADE_UP = "/made-up"
BUILD_STARTED = "dev.knative-lambda.build.started.v1"
JOBS_OF_NOBODY = (".", "..", "a/b", "", "x" * 5000, "\n", "\u00e9", "?watch=true", "%2e%2e")


def tell(
    platform: EmbeddedPlatform, name: str, kind: str, data: dict[str, Any], event_id: str = ""
) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": event_id or uuid.uuid4().hex,
        "ce-source": MADE_UP,
        "ce-type": f"dev.knative-lambda.build.{kind}.v1",
        "ce-subject": f"default/{name}",
        "Content-Type": "application/json",
    }
    answer = platform.post(platform.control_broker, json.dumps(data).encode(), headers)
    assert answer.status == 202, answer


def ask(platform: EmbeddedPlatform, name: str, folder: Path, **files: str) -> dict[str, Any]:
    """Deploy without waiting for more than the id of the build."""
    folder.mkdir()
    for file, text in files.items():
        (folder / file.replace("_", ".")).write_text(text)
    done = platform.kn_lambda("deploy", folder, "--name", name, "--no-wait")
    assert done.returncode == 0, done.stderr
    return wait_for(lambda: build_of(platform, name))


def build_of(platform: EmbeddedPlatform, name: str) -> dict[str, Any]:
    build: dict[str, Any] = ((platform.record(name) or {}).get("status") or {}).get("build") or {}
    return build if build.get("id") else {}


def unread(platform: EmbeddedPlatform) -> list[dict[str, Any]]:
    """What nobody has dealt with yet, but for the true `build.started`, which is held."""
    return [
        event["attributes"]
        for event in platform.events()
        if (
            event["attributes"]["type"] != BUILD_STARTED or event["attributes"]["source"] == MADE_UP
        )
        and any(each["state"] == "pending" for each in event["triggers"])
    ]


def test_a_made_up_event_ends_no_build_that_waits_and_changes_no_outcome(
    start_platform, gate: GatedWheel, tmp_path: Path
):
    platform = start_platform(KN_LAMBDA_MAX_BUILDS="1")
    ask(platform, "ready", tmp_path / "ready", main_py=PLAIN)
    platform.await_phase("ready", "Ready")
    ready = platform.record("ready")
    digest = ready["status"]["build"]["digest"]
    builds = {"ready": ready["status"]["build"]}
    for name in ("runs", "waits"):
        asked = {"main_py": GATED, "requirements_txt": f"{gate.requirement}# {name}\n"}
        builds[name] = ask(platform, name, tmp_path / name, **asked)
    gate.await_build()

    for name, build in builds.items():
        for other in builds.values():
            mine = {"buildId": other["id"]}
            # Of a build that runs, its end would be waited for, and then be told by these.
            if name != "runs" or other is not build:
                tell(platform, name, "packaged", mine)
                tell(platform, name, "complete", {**mine, **FAILURE})
                tell(platform, name, "complete", {**mine, "digest": digest})
            tell(platform, name, "failed", {**mine, **FAILED})
            for job in JOBS_OF_NOBODY:
                tell(platform, name, "started", {**mine, "job": job})
    # The record tells anybody who may read it which event told of its outcome.
    known = ready["status"]["build"]
    tell(platform, "ready", "complete", {"buildId": known["id"], **FAILURE}, known["completedBy"])
    tell(platform, "ready", "cancel", {})
    wait_for(lambda: not unread(platform))
    gate.open()

    for name in ("runs", "waits"):
        platform.await_phase(name, "Ready")
        assert build_of(platform, name)["id"] == builds[name]["id"]
        assert build_of(platform, name)["digest"] != digest
    platform.await_settled()
    assert platform.record("ready") == ready
    assert platform.record("nobody") is None
    # Names that nothing can have are told so once.
    letters = platform.dead_letters()
    assert {letter["event"]["type"] for letter in letters} == {BUILD_STARTED}, letters
    assert len(letters) == len(JOBS_OF_NOBODY) * len(builds) ** 2
