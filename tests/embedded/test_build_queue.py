"""Builds over the limit wait, people see where they stand, and each is released in its turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kn_lambda.errors import ExitCode
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
    from tests.helpers.gated_wheel import GatedWheel

JOBS = "/apis/batch/v1/namespaces/knative-lambda-builds/jobs"
GATED = "import gated\n\ndef handler(event):\n    return gated.VALUE\n"
PLAIN = "def handler(event):\n    return 'plain'\n"


@pytest.fixture
def deploy(start_platform, gate, tmp_path) -> Callable[..., EmbeddedPlatform]:
    """`deploy("a", "b")` asks one after the other, on a platform where one build may run."""
    platform = start_platform(KN_LAMBDA_MAX_BUILDS="1")

    def ask(*names: str) -> EmbeddedPlatform:
        for name in names:
            folder = tmp_path / name
            folder.mkdir()
            (folder / "main.py").write_text(GATED)
            (folder / "requirements.txt").write_text(gate.requirement)
            run(platform, "deploy", folder, "--no-wait")
            wait_for(lambda name=name: platform.phase(name) == "Building")
        return platform

    return ask


def run(platform, *arguments):
    done = platform.kn_lambda(*arguments, "-o", "json")
    assert done.returncode == ExitCode.OK, done.stderr
    return json.loads(done.stdout)


def places(platform):
    return {each["name"]: each["place"] for each in run(platform, "builds")}


def jobs_of(platform, name):
    return platform.list(JOBS, **{"knative-lambda.dev/function-name": name})


def test_builds_wait_for_their_turn_and_what_needs_no_build_does_not(
    deploy, gate: GatedWheel, tmp_path
):
    platform = deploy("a", "b", "c")
    gate.await_build()
    wait_for(
        lambda: (
            places(platform)
            == {"a": "", "b": "1st of 2 waiting builds", "c": "2nd of 2 waiting builds"}
        )
    )
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/main.py").write_text(PLAIN)
    assert run(platform, "deploy", tmp_path / "plain")["outcome"] == "ready"
    gate.open()
    for name in ("a", "b", "c"):
        platform.await_phase(name, "Ready")
    assert places(platform) == {}


def test_a_build_that_waits_can_be_cancelled_and_one_that_runs_makes_room(deploy, gate: GatedWheel):
    platform = deploy("a", "b", "c")
    gate.await_build()
    assert run(platform, "cancel", "b")["outcome"] == "cancelled"
    assert platform.record("b")["status"]["build"]["reason"] == "Cancelled"
    wait_for(lambda: jobs_of(platform, "b") == [])
    assert run(platform, "cancel", "a")["outcome"] == "cancelled"
    wait_for(lambda: places(platform) == {"c": ""})
    gate.open()
    platform.await_phase("c", "Ready")


def test_a_platform_that_is_killed_forgets_no_build_that_waits(deploy, gate: GatedWheel):
    platform = deploy("a", "b")
    gate.await_build()
    wait_for(lambda: places(platform).get("b") == "1st of 1 waiting build")
    platform.kill()
    platform.start()
    assert jobs_of(platform, "b")[0]["spec"]["suspend"] is True
    gate.open()
    for name in ("a", "b"):
        platform.await_phase(name, "Ready")
