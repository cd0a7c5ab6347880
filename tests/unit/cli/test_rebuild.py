from __future__ import annotations

import json

import pytest

from kn_lambda.errors import ExitCode
from tests.unit.cli.helpers.fakes import WISH_ID, WISH_TIME, FakePlatform, status

_SPEC = {"runtime": "python3.11", "source": {"uri": "s3://sources/default/hello.zip"}}


@pytest.fixture
def rebuilding(fake_platform):
    """`rebuilding("a", "b")` are functions that the control plane builds again at once."""

    def put(name, request, **build):
        fake_platform.put_record(
            name,
            spec=_SPEC,
            annotations={WISH_ID: request["ce-id"], WISH_TIME: request["ce-time"]},
            status=status(
                revision=f"{name}-00002", build={"id": "b" * 64, "wishId": request["ce-id"]}
            ),
        )

    def react(headers, _data):
        put(headers["ce-subject"].partition("/")[2], headers)

    def make(*names):
        for name in names:
            put(name, {"ce-id": "first", "ce-time": "2026-01-15T09:30:00+00:00"})
            record = fake_platform.api.objects["lambdafunctions", "default", name]
            record["status"]["revision"] = f"{name}-00001"
        fake_platform.on_request(react)

    return make


def test_one_event_asks_for_what_the_record_says(kn_lambda, fake_platform, rebuilding):
    rebuilding("hello")
    result = kn_lambda("rebuild", "hello")
    assert result.exit_code == ExitCode.OK, result.output
    (request,) = fake_platform.requests()
    assert request["ce-type"] == "dev.knative-lambda.rebuild.v1"
    assert (request["ce-subject"], request["data"]) == ("default/hello", {"refresh": False})
    assert result.stdout == f"{FakePlatform.url}\n"


def test_refresh_is_passed_on(kn_lambda, fake_platform, rebuilding):
    rebuilding("hello")
    kn_lambda("rebuild", "hello", "--refresh")
    assert fake_platform.requests()[0]["data"] == {"refresh": True}


def test_all_functions_of_the_namespace_are_rebuilt_at_once(kn_lambda, fake_platform, rebuilding):
    rebuilding("a", "b")
    fake_platform.put_record("other", namespace="another")
    result = kn_lambda("rebuild", "--all", "-o", "json")
    assert result.exit_code == ExitCode.OK, result.output
    subjects = {request["ce-subject"] for request in fake_platform.requests()}
    assert subjects == {"default/a", "default/b"}
    outcomes = [each["outcome"] for each in json.loads(result.stdout)]
    assert outcomes == ["ready", "ready"]


def test_all_of_one_function_is_a_list_too(kn_lambda, rebuilding):
    rebuilding("a")
    assert len(json.loads(kn_lambda("rebuild", "--all", "-o", "json").stdout)) == 1


def test_all_of_none_sends_nothing(kn_lambda, fake_platform):
    result = kn_lambda("rebuild", "--all")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.OK, [])
    assert "No functions found in namespace default" in result.stderr


def test_all_leaves_out_what_somebody_cancelled_and_says_so(kn_lambda, fake_platform, rebuilding):
    """It would deploy the version that was not to be deployed."""
    rebuilding("a", "b")
    record = fake_platform.api.objects["lambdafunctions", "default", "b"]
    record["status"] |= {"phase": "Failed", "build": {"id": "b" * 64, "reason": "Cancelled"}}
    result = kn_lambda("rebuild", "--all")
    assert result.exit_code == ExitCode.OK, result.output
    assert [request["ce-subject"] for request in fake_platform.requests()] == ["default/a"]
    left_out = "default/b is left out: its newest version was cancelled"
    assert f"{left_out} (to build it: kn-lambda rebuild b)" in result.stderr


def test_all_of_nothing_but_cancelled_builds_sends_nothing(kn_lambda, fake_platform):
    build = {"id": "b" * 64, "reason": "Cancelled"}
    fake_platform.put_record(spec=_SPEC, status={"phase": "Failed", "build": build})
    result = kn_lambda("rebuild", "--all", "--no-wait")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.OK, [])
    assert "default/hello is left out" in result.stderr
    assert "No functions found" not in result.stderr
    assert kn_lambda("rebuild", "--all", "-o", "json").stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [(), ("hello", "--all")], ids=["neither", "both"])
def test_either_names_or_all_must_be_given(kn_lambda, fake_platform, arguments):
    result = kn_lambda("rebuild", *arguments)
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.USAGE, [])
    assert "kn-lambda rebuild --all" in result.stderr


def test_a_function_that_is_not_there_is_not_found(kn_lambda, fake_platform):
    result = kn_lambda("rebuild", "hello")
    assert (result.exit_code, fake_platform.requests()) == (ExitCode.NOT_FOUND, [])


def test_one_that_is_not_there_does_not_keep_the_others(kn_lambda, fake_platform, rebuilding):
    rebuilding("a")
    result = kn_lambda("rebuild", "a", "missing")
    assert result.exit_code == ExitCode.FAILED
    assert [request["ce-subject"] for request in fake_platform.requests()] == ["default/a"]
    assert "1 of 2 functions failed: missing" in result.stderr


def test_no_wait_ends_when_the_event_is_accepted(kn_lambda, rebuilding):
    rebuilding("hello")
    document = json.loads(kn_lambda("rebuild", "hello", "--no-wait", "-o", "json").stdout)
    assert document["outcome"] == "accepted"


def test_deploy_asks_for_fresh_packages_only_with_its_option(kn_lambda, fake_platform, tmp_path):
    fake_platform.finish("Ready")
    (tmp_path / "main.py").write_text("def handler(event): ...\n")
    kn_lambda("deploy", str(tmp_path), "--name", "hello")
    kn_lambda("deploy", str(tmp_path), "--name", "hello", "--refresh")
    said = [request["data"].get("refresh") for request in fake_platform.requests()]
    assert said == [None, True]
