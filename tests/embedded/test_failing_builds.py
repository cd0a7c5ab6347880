"""Builds that cannot work: who is told what, and what goes on serving."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.embedded.helpers.inventory import JOBS, PODS, owned
from tests.helpers.lambda_platform import BUILD_START
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

HELLO = "def handler(event):\n    return 'hello'\n"
NOWHERE = "no-such-package-of-anybody"


def deploy_failing(platform: EmbeddedPlatform, *arguments: object):
    """Return what a person reads on stderr, and what a program reads on stdout."""
    done = platform.kn_lambda("deploy", *arguments, "-o", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr, json.loads(done.stdout)


def build_failed(platform: EmbeddedPlatform, name: str) -> list[dict]:
    failed = "dev.knative-lambda.build.failed.v1"
    return platform.events(subject=f"default/{name}", type=failed)


def test_a_requirement_that_does_not_exist_is_told_within_seconds_and_the_old_revision_serves(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    platform.deploy(write_function(HELLO), "--name", unique_name)
    broken = write_function("def handler(event): ...", requirements=f"{NOWHERE}==9.9\n")

    said, document = deploy_failing(platform, broken, "--name", unique_name)
    ended = datetime.now(UTC)

    assert f"{NOWHERE} was not found in the package registry" in said
    assert NOWHERE in document["message"]
    assert document["outcome"] == "failed"
    # Whoever waits is told within five seconds of the failure.
    assert (ended - installer_ended(platform, unique_name)).total_seconds() < 5
    assert platform.kn_lambda("invoke", unique_name).stdout == '"hello"\n'
    assert platform.phase(unique_name) == "Failed"
    platform.await_settled()
    assert len(build_failed(platform, unique_name)) == 1


def installer_ended(platform: EmbeddedPlatform, name: str) -> datetime:
    """When the container that runs the installer ended, by the Pod's status (whole seconds)."""
    ends = [
        status["state"]["terminated"]["finishedAt"]
        for job in owned(platform, JOBS, name)
        for pod in platform.list(PODS, **{"job-name": job["metadata"]["name"]})
        for status in pod["status"]["containerStatuses"]
        if status["name"] == "build"
    ]
    return datetime.fromisoformat(max(ends))


def test_a_build_that_hangs_ends_at_its_limit(start_platform, write_function, gate):
    platform = start_platform(KN_LAMBDA_BUILD_TIMEOUT="PT3S")
    source = write_function(HELLO, requirements=gate.requirement)

    said, document = deploy_failing(platform, source, "--name", "hanging")

    assert document["reason"] == "BuildTimeout"
    assert "took longer than" in said
    assert platform.processes("lambda_builder") == []
    platform.await_settled()
    assert len(build_failed(platform, "hanging")) == 1


def test_a_delivery_leaves_a_build_that_takes_long(start_platform, gate):
    platform = start_platform(KN_LAMBDA_FOLLOW_TIMEOUT="PT2S")
    files = {"main.py": HELLO, "requirements.txt": gate.requirement}
    platform.send_build_start("slow", files)
    gate.await_build()

    def states() -> list[str]:
        started = "dev.knative-lambda.build.started.v1"
        events = platform.events(subject="default/slow", type=started)
        return [delivery["state"] for event in events for delivery in event["triggers"]]

    wait_for(lambda: states() == ["delivered"], within=10)
    assert platform.phase("slow") == "Building"

    gate.open()
    platform.await_phase("slow", "Ready")


def test_a_source_that_is_missing_is_a_dead_letter_after_one_try(
    platform: EmbeddedPlatform, unique_name: str
):
    uri = f"{(platform.home / 'storage').as_uri()}/sources/default/{unique_name}.zip"
    options = ("--name", unique_name, "--runtime", "python", "--source", uri)

    said, document = deploy_failing(platform, *options)

    assert document["outcome"] == "refused"
    assert document["reason"] == "SourceNotFound"
    assert document["field"] == "source.uri"
    assert "SourceNotFound" in said
    platform.await_settled()
    (start,) = platform.events(subject=f"default/{unique_name}", type=BUILD_START)
    (delivery,) = [each for each in start["triggers"] if each["name"] == "build-start"]
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("dead", 1, 422)
    assert len(platform.dead_letters(subject=f"default/{unique_name}")) == 1
    assert platform.record(unique_name) is None


def test_a_function_can_be_mended_after_a_failed_build(
    platform: EmbeddedPlatform, write_function, unique_name: str
):
    deploy_failing(platform, write_function("import no_such_module\n"), "--name", unique_name)

    platform.deploy(write_function(HELLO), "--name", unique_name)

    assert platform.kn_lambda("invoke", unique_name).stdout == '"hello"\n'
