"""`kubectl logs` with all that people ask of it."""

from __future__ import annotations

import threading
import time

import pytest

from lambda_sandbox.log_times import time_record, times_path

SECOND = 1_000_000_000


@pytest.fixture
def pod(running_api, namespace):
    """Store a Pod of which a process crashed an hour ago, and another one runs."""
    item = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
        "status": {"phase": "Running",
                   "containerStatuses": [{"name": "c", "state": {"running": {}}}]},
    }  # fmt: skip
    running_api.call(running_api.objects.create, "Pod", item)
    path = running_api.folder / "pods" / namespace / "one" / "c.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"crash\nnew\nnewer\n")
    now = time.time_ns()
    begun = [(0, now - 3600 * SECOND), (len(b"crash\n"), now)]
    times_path(path).write_bytes(
        b"".join(time_record(offset, moment, begins=True) for offset, moment in begun)
    )
    return path


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "crash\nnew\nnewer\n"),
        (("--tail=1",), "newer\n"),
        (("--since=1m",), "new\nnewer\n"),
        (("--since=2h", "--tail=2"), "new\nnewer\n"),
        (("--since-time=2020-01-01T00:00:00Z",), "crash\nnew\nnewer\n"),
        (("--since-time=2999-01-01T00:00:00Z",), ""),
        (("--previous",), "crash\n"),
        (("-p", "--since=1m"), ""),
        (("--limit-bytes=3",), "cra"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_lines_that_are_asked_for(kubectl, pod, options, text):
    assert kubectl("logs", "one", *options) == text


def test_each_line_can_tell_its_time(kubectl, pod):
    first, *others = kubectl("logs", "one", "--timestamps").splitlines()
    assert first.split()[1] == "crash"
    assert first.split()[0] < others[0].split()[0]
    assert first.split()[0].endswith("Z")


def test_there_may_be_no_previous_process(kubectl, pod):
    times_path(pod).write_bytes(time_record(0, time.time_ns(), begins=True))
    assert "previous terminated container" in kubectl.fails("logs", "one", "--previous")


def test_a_container_that_waits_to_be_started_again_has_its_last_process(
    kubectl, running_api, namespace, pod
):
    waiting = {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status = {"phase": "Running", "containerStatuses": [waiting]}
    running_api.call(running_api.objects.update_status, "Pod", namespace, "one", status)
    assert kubectl("logs", "one", "--previous") == "new\nnewer\n"


def test_followed_lines_tell_their_time_too(kubectl, running_api, namespace, pod):
    def end():
        with pod.open("a") as file:
            file.write("last\n")
        status = {"phase": "Succeeded"}
        running_api.call(running_api.objects.update_status, "Pod", namespace, "one", status)

    timer = threading.Timer(1, end)
    timer.start()
    lines = kubectl("logs", "one", "-f", "--timestamps", "--tail=1").splitlines()
    timer.join()
    assert [line.split()[1] for line in lines] == ["newer", "last"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sinceSeconds=0", "greater than 0"),
        ("sinceSeconds=x", "is not a number"),
        ("sinceTime=yesterday", "RFC 3339"),
        ("sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z", "at most one"),
    ],
)
def test_what_cannot_be_read_is_named(kubectl, namespace, pod, query, message):
    path = f"/api/v1/namespaces/{namespace}/pods/one/log?{query}"
    assert message in kubectl.fails("get", "--raw", path)
