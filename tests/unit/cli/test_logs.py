"""`kn-lambda logs`: which lines, and their times."""

from __future__ import annotations

import json

import pytest

from kn_lambda.cluster.log_lines import LogLine, LogOptions
from kn_lambda.errors import ExitCode
from knative_lambda.adapters.kubernetes.client import JOBS, PODS
from tests.unit.cli.helpers.fakes import LOG_TIME, status


@pytest.fixture
def pod_log(fake_platform):
    """`pod_log("text")` is what the one Pod of hello has written."""

    def write(text, name="pod"):
        labels = {"serving.knative.dev/service": "hello"}
        metadata = {"namespace": "default", "name": name, "labels": labels, "uid": name}
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
        fake_platform.api.put(PODS, {"metadata": metadata, "status": {"phase": "Running"}})
        fake_platform.api.logs[f"{PODS.path('default', name, 'log')}?user-container"] = text

    fake_platform.put_record(status=status(phase="Ready"))
    return write


def test_timestamps_stand_before_each_line(kn_lambda, pod_log):
    pod_log("one\n\ntwo words\n")
    shown = kn_lambda("logs", "hello", "--timestamps").stdout
    assert shown == f"{LOG_TIME} one\n{LOG_TIME} \n{LOG_TIME} two words\n"


def test_timestamps_are_a_field_in_json(kn_lambda, pod_log):
    pod_log("one\n")
    shown = kn_lambda("logs", "hello", "--timestamps", "-o", "json").stdout
    assert json.loads(shown) == {"time": LOG_TIME, "line": "one"}


def test_lines_of_several_pods_have_the_pod_before_the_time(kn_lambda, pod_log):
    pod_log("one\n", name="a")
    pod_log("two\n", name="b")
    shown = kn_lambda("logs", "hello", "--timestamps").stdout
    assert sorted(shown.splitlines()) == [f"[a] {LOG_TIME} one", f"[b] {LOG_TIME} two"]


def test_a_time_that_the_function_printed_stays_in_its_line(kn_lambda, pod_log):
    pod_log(f"{LOG_TIME} mine\n")
    shown = json.loads(kn_lambda("logs", "hello", "-o", "json").stdout)
    assert shown == {"line": f"{LOG_TIME} mine"}


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ((), {}),
        (("--tail", "5"), {"tailLines": "5"}),
        (("--since", "10m"), {"sinceSeconds": "600"}),
        (("--since", "1ms"), {"sinceSeconds": "1"}),
        (("--timestamps",), {"timestamps": "true"}),
    ],
)
def test_the_api_does_the_choosing(kn_lambda, fake_platform, pod_log, options, query):
    pod_log("one\n")
    assert kn_lambda("logs", "hello", *options).exit_code == ExitCode.OK
    (asked,) = fake_platform.api.log_queries
    assert asked == {"container": "user-container", **query}


def test_since_with_nothing_written_says_so(kn_lambda, pod_log):
    pod_log("")
    result = kn_lambda("logs", "hello", "--since", "1s")
    assert result.stderr == "That part of the log of default/hello is empty.\n"


def _build(fake_platform):
    build = {"id": "c" * 64, "job": "b", "log": "kept\n"}
    fake_platform.put_record(status={"phase": "Failed", "build": build})
    metadata = {
        "namespace": "knative-lambda-builds", "name": "b", "uid": "b",
        "labels": {"job-name": "b"}, "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "build"}]}}
    fake_platform.api.put(JOBS, {"metadata": metadata})
    fake_platform.api.put(PODS, pod)
    path = PODS.path("knative-lambda-builds", "b", "log")
    fake_platform.api.logs[f"{path}?build"] = "installing\n"


@pytest.mark.parametrize("follow", [(), ("--follow",)], ids=["all", "followed"])
def test_a_build_has_timestamps_too(kn_lambda, fake_platform, follow):
    _build(fake_platform)
    shown = kn_lambda("logs", "hello", "--build", "--timestamps", *follow)
    assert shown.stdout == f"{LOG_TIME} installing\n", shown.stderr


def test_a_build_whose_job_is_gone_has_its_lines_without_times(kn_lambda, fake_platform):
    build = {"id": "c" * 64, "job": "gone", "log": "kept\n"}
    fake_platform.put_record(status={"phase": "Failed", "build": build})
    shown = kn_lambda("logs", "hello", "--build", "--timestamps", "-o", "json").stdout
    assert json.loads(shown) == {"line": "kept"}


def test_a_build_that_waits_has_no_log_yet_and_says_its_place(kn_lambda, fake_platform):
    queued = {"type": "BuildReady", "reason": "Queued", "message": "2nd of 3 waiting builds"}
    status = {"phase": "Building", "build": {"id": "c" * 64}, "conditions": [queued]}
    fake_platform.put_record(status=status)
    result = kn_lambda("logs", "hello", "--build")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "the build of default/hello has no log yet: 2nd of 3 waiting builds" in result.stderr
    assert "kn-lambda logs hello --build --follow" in result.stderr
    assert "has none" not in result.stderr


def test_since_is_not_for_builds(kn_lambda):
    result = kn_lambda("logs", "hello", "--build", "--since", "1m")
    assert result.exit_code == ExitCode.USAGE
    assert "--since is for the log of the function" in result.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-01-15T09:30:00Z x", LogLine(time="2026-01-15T09:30:00Z", text="x")),
        ("2026-01-15T09:30:00.5+02:00 ", LogLine(time="2026-01-15T09:30:00.5+02:00", text="")),
        ("no time", LogLine(text="no time")),
        ("\x1b[2J x", LogLine(text="\x1b[2J x")),
        ("", LogLine(text="")),
    ],
)
def test_only_a_time_is_read_as_one(line, expected):
    assert LogOptions(timestamps=True).line(line) == expected
