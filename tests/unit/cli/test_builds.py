"""`kn-lambda builds` and `kn-lambda cancel`."""

from __future__ import annotations

import json

import pytest

from kn_lambda.errors import ExitCode
from tests.unit.cli.helpers.fakes import WISH_ID, WISH_TIME, status

_PLACE = "3rd of 7 waiting builds"


@pytest.fixture
def building(fake_platform):
    """`building("hello", place=...)` is a function whose build waits at that place, or runs."""

    def put(name, *, namespace="default", place=None, at="2026-01-15T09:30:00+00:00"):
        reason = {"reason": "Queued", "message": place} if place else {}
        condition = {"type": "BuildReady", "status": "Unknown", **reason}
        build = {"id": "b" * 64, "wishId": f"request-{name}", "job": f"default-{name}-1"}
        return fake_platform.put_record(
            name,
            namespace=namespace,
            annotations={WISH_ID: f"request-{name}", WISH_TIME: at},
            status=status(phase="Building", build=build, conditions=[condition]),
        )

    return put


def end_builds(fake_platform, **outcome):
    """Let the control plane end the build of whatever it is told to cancel."""

    def react(headers, data):
        name = headers["ce-subject"].partition("/")[2]
        build = {"id": "b" * 64, "wishId": data["requestId"], **outcome}
        phase = "Failed" if "reason" in outcome else "Ready"
        fake_platform.put_record(
            name,
            annotations={WISH_ID: data["requestId"]},
            status=status(phase=phase, build=build),
        )

    fake_platform.on_request(react)


def test_builds_that_run_come_first_then_those_that_wait_by_age(kn_lambda, building, fake_platform):
    building("late", place=_PLACE, at="2026-01-15T09:32:00+00:00")
    building("early", place="1st of 7 waiting builds", at="2026-01-15T09:31:00+00:00")
    building("running", at="2026-01-15T09:33:00+00:00")
    building("elsewhere", namespace="another")
    fake_platform.put_record("idle", status=status(phase="Ready"))
    lines = kn_lambda("builds").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["running", "early", "late"]
    assert "building" in lines[1]
    assert "waiting" in lines[3]
    assert "3rd of 7" in lines[3]
    assert "another" in kn_lambda("builds", "-A").stdout


def test_one_function_is_asked_for_by_its_name(kn_lambda, building):
    building("a")
    building("b", place=_PLACE)
    (document,) = json.loads(kn_lambda("builds", "b", "-o", "json").stdout)
    assert (document["name"], document["state"], document["place"]) == ("b", "waiting", _PLACE)
    assert document["requestId"] == "request-b"
    assert kn_lambda("builds", "b", "-o", "name").stdout == "lambdafunction.knative-lambda.dev/b\n"


def test_a_function_that_is_not_there_is_not_found(kn_lambda):
    assert kn_lambda("builds", "missing").exit_code == ExitCode.NOT_FOUND
    assert kn_lambda("cancel", "missing").exit_code == ExitCode.NOT_FOUND


def test_no_builds_is_no_error(kn_lambda):
    result = kn_lambda("builds")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "No build waits or runs" in result.stderr
    assert json.loads(kn_lambda("builds", "-o", "json").stdout) == []


def test_cancel_ends_the_build_of_the_request_that_it_has_seen(kn_lambda, building, fake_platform):
    building("hello", place=_PLACE)
    end_builds(fake_platform, reason="Cancelled")
    result = kn_lambda("cancel", "hello")
    assert result.exit_code == ExitCode.OK, result.output
    (request,) = fake_platform.requests()
    assert request["ce-type"] == "dev.knative-lambda.build.cancel.v1"
    assert request["data"] == {"requestId": "request-hello"}
    assert result.stdout == "the build of default/hello is cancelled\n"


def test_cancel_says_when_the_build_had_ended_by_itself(kn_lambda, building, fake_platform):
    building("hello")
    end_builds(fake_platform)
    result = kn_lambda("cancel", "hello", "-o", "json")
    assert json.loads(result.stdout)["outcome"] == "ended"


def test_cancel_without_a_build_sends_nothing(kn_lambda, fake_platform):
    fake_platform.put_record("hello", status=status(phase="Ready"))
    result = kn_lambda("cancel", "hello")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.OK, [])
    assert "nothing was sent" in result.stdout


def test_cancel_does_not_wait_with_no_wait(kn_lambda, building):
    building("hello")
    result = kn_lambda("cancel", "hello", "--no-wait", "-o", "json")
    assert json.loads(result.stdout)["outcome"] == "accepted"


def test_cancel_gives_up_after_its_timeout(kn_lambda, building):
    building("hello")
    assert kn_lambda("cancel", "hello", "--timeout", "1ms").exit_code == ExitCode.TIMED_OUT


def test_deploy_shows_the_place_of_a_build_that_waits(kn_lambda, fake_platform, tmp_path):
    def wait(headers, data):
        build = {"id": "b" * 64, "wishId": headers["ce-id"], "job": "default-hello-1"}
        queued = {"type": "BuildReady", "status": "Unknown", "reason": "Queued", "message": _PLACE}
        fake_platform.put_record(
            "hello",
            spec=data,
            annotations={WISH_ID: headers["ce-id"], WISH_TIME: headers["ce-time"]},
            status=status(phase="Building", build=build, conditions=[queued]),
        )

    fake_platform.on_request(wait)
    (tmp_path / "main.py").write_text("def handler(event): ...\n")
    result = kn_lambda("deploy", str(tmp_path), "--name", "hello", "--timeout", "1s")
    assert result.exit_code == ExitCode.TIMED_OUT
    assert result.stderr.count(f"waiting: {_PLACE}") == 1
    assert "s  building" not in result.stderr
