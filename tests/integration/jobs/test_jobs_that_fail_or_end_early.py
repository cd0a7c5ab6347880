from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.jobs.helpers.running_jobs import Jobs

FAIL_JOB_ON_1 = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_failing_pod_is_repeated_up_to_the_backoff_limit(running: Jobs):
    running.create("build", "raise SystemExit(75)", backoffLimit=2)

    assert await running.finished("build") == ("Failed", "BackoffLimitExceeded")

    assert len(running.pods("build")) == 3
    assert running.job("build")["status"]["failed"] == 3


async def test_a_pod_that_succeeds_after_a_failure_completes_the_job(running: Jobs):
    marker = str(running.folder / "marker")
    script = (
        f"import os, pathlib; marker = pathlib.Path({marker!r}); there = marker.exists(); "
        "marker.touch(); raise SystemExit(0 if there else 75)"
    )
    running.create("build", script, backoffLimit=3)

    assert await running.finished("build") == ("Complete", "CompletionsReached")

    status = running.job("build")["status"]
    assert (status["failed"], status["succeeded"]) == (1, 1)


async def test_an_exit_code_that_fails_the_job_is_not_repeated(running: Jobs):
    running.create("build", "raise SystemExit(1)", backoffLimit=5, podFailurePolicy=FAIL_JOB_ON_1)

    assert await running.finished("build") == ("Failed", "PodFailurePolicy")

    assert len(running.pods("build")) == 1


async def test_other_exit_codes_are_repeated_despite_the_policy(running: Jobs):
    running.create("build", "raise SystemExit(75)", backoffLimit=1, podFailurePolicy=FAIL_JOB_ON_1)

    assert await running.finished("build") == ("Failed", "BackoffLimitExceeded")

    assert len(running.pods("build")) == 2


async def test_a_job_past_its_deadline_is_killed(running: Jobs, hold: str):
    running.create("build", hold, activeDeadlineSeconds=2, backoffLimit=5)
    pid = int(await running.until_file(running.folder / "pid"))

    assert await running.finished("build") == ("Failed", "DeadlineExceeded")

    assert not is_running(pid)
    (pod,) = running.pods("build")
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert running.job("build")["status"]["failed"] == 1


async def test_a_process_that_ignores_sigterm_is_killed_all_the_same(running: Jobs, hold: str):
    script = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{hold}"
    pod = {"terminationGracePeriodSeconds": 0}
    running.create("build", script, activeDeadlineSeconds=2, pod=pod)
    pid = int(await running.until_file(running.folder / "pid"))

    await running.finished("build")

    assert not is_running(pid)


@pytest.mark.parametrize("victim", ["leader", "child"])
async def test_a_deleted_job_leaves_nothing_behind(running: Jobs, hold: str, victim: str):
    script = (
        hold
        if victim == "leader"
        else f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    )
    running.create("build", script)
    pid = int(await running.until_file(running.folder / "pid"))

    running.objects.delete("Job", "builds", "build")

    await running.until(lambda: not running.pods("build"))
    assert not is_running(pid)
    await running.until_empty(running.folder / "pods" / "builds")
    await running.until_empty(running.folder / "builds" / "builds")


async def test_a_process_that_left_its_container_ends_with_the_pod(running: Jobs, hold: str):
    # A session of its own, and a parent that is gone.
    inner = "\n".join(f"        {line}" for line in hold.split("\n"))
    pid_file = running.folder / "pid"
    fork = f"import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n{inner}\n"
    wait = f"while not pathlib.Path({str(pid_file)!r}).exists(): time.sleep(0.01)"
    running.create("build", f"import pathlib, time\n{fork}else:\n    {wait}")

    await running.finished("build")

    assert not is_running(int(await running.until_file(pid_file)))


async def test_a_deleted_pod_is_replaced(running: Jobs, hold: str):
    running.create("build", hold)
    await running.until_file(running.folder / "pid")
    (first,) = running.pods("build")

    running.objects.delete("Pod", "builds", first["metadata"]["name"])
    (running.folder / "go").touch()

    assert await running.finished("build") == ("Complete", "CompletionsReached")
    (second,) = running.pods("build")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]


async def test_a_killed_container_counts_as_a_failed_pod(running: Jobs, hold: str):
    running.create("build", hold, backoffLimit=1)
    pid = int(await running.until_file(running.folder / "pid"))

    os.kill(pid, signal.SIGKILL)
    (running.folder / "go").touch()

    assert await running.finished("build") == ("Complete", "CompletionsReached")
    first, second = (
        pod["status"]["containerStatuses"][0]["state"]["terminated"]
        for pod in running.pods("build")
    )
    assert (first["exitCode"], first["reason"]) == (137, "Error")
    assert (second["exitCode"], second["reason"]) == (0, "Completed")
    assert running.job("build")["status"]["failed"] == 1


async def test_a_suspended_job_waits_until_it_is_resumed(running: Jobs):
    running.create("build", "pass", suspend=True)
    await running.until(lambda: running.outcome("build") == ("Suspended", "JobSuspended"))
    assert running.pods("build") == []

    resumed = running.job("build")
    resumed["spec"]["suspend"] = False
    running.objects.update("Job", resumed)

    await running.until(lambda: running.outcome("build") == ("Complete", "CompletionsReached"))


async def test_suspending_ends_what_runs(running: Jobs, hold: str):
    running.create("build", hold)
    pid = int(await running.until_file(running.folder / "pid"))

    suspended = running.job("build")
    suspended["spec"]["suspend"] = True
    running.objects.update("Job", suspended)

    assert await running.finished("build") == ("Suspended", "JobSuspended")
    assert not is_running(pid)
    assert running.pods("build") == []
