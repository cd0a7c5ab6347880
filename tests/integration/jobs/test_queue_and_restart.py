from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.jobs.helpers.running_jobs import Jobs


async def test_twenty_jobs_run_in_order_and_never_more_than_allowed_at_once(jobs: Jobs):
    for index in range(20):
        jobs.create(f"build-{index:02}", "pass")
    changes = jobs.objects.watch()

    async with jobs.controller(max_pods=2):
        for index in range(20):
            assert await jobs.finished(f"build-{index:02}") == ("Complete", "CompletionsReached")

    running: set[str] = set()
    started, most = [], 0
    while not changes.empty():
        change = changes.get_nowait()
        if change.kind == "Pod":
            name = change.object["metadata"]["labels"]["job-name"]
            if change.object["status"]["phase"] == "Running" and name not in running:
                running.add(name)
                started.append(name)
            if change.object["status"]["phase"] == "Succeeded":
                running.discard(name)
            most = max(most, len(running))
    assert most <= 2
    # Two start at once: which of them is the first to run is the system's choice.
    assert all(
        abs(index - int(name[-2:])) <= 1 for index, name in enumerate(dict.fromkeys(started))
    )


async def test_a_finished_job_never_runs_again(jobs: Jobs):
    jobs.create("build", "pass")
    async with jobs.controller():
        await jobs.finished("build")
    before = (jobs.job("build"), jobs.pods("build"))

    async with jobs.controller():
        jobs.create("later", "pass")
        await jobs.finished("later")

    assert (jobs.job("build"), jobs.pods("build")) == before


async def test_an_interrupted_pod_starts_again_without_counting(jobs: Jobs, hold: str):
    jobs.create("build", hold, backoffLimit=0)
    async with jobs.controller():
        await jobs.until_file(jobs.folder / "pid")
    (jobs.folder / "go").touch()

    async with jobs.controller():
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")

    first, second = sorted(jobs.pods("build"), key=lambda pod: pod["status"]["phase"])
    assert first["status"]["reason"] == "PlatformRestarted"
    assert first["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    assert second["status"]["phase"] == "Succeeded"
    assert "failed" not in jobs.job("build")["status"]


async def test_a_job_whose_programs_went_with_an_upgrade_fails_and_says_so(jobs: Jobs):
    """Builds once were three programs in two containers."""
    build, publish = (
        {"name": name, "command": ["python", "-m", f"lambda_builder.{program}"]}
        for name, program in (("build", "fetch"), ("publish", "publish"))
    )
    template = {"spec": {"initContainers": [build], "containers": [publish]}}
    metadata = {"namespace": "builds", "name": "older"}
    rule = {"containerName": "build", "operator": "In", "values": [1]}
    policy = {"rules": [{"action": "FailJob", "onExitCodes": rule}]}
    spec = {"template": template, "backoffLimit": 2, "podFailurePolicy": policy}
    jobs.objects.create("Job", {"metadata": metadata, "spec": spec})
    async with jobs.controller():
        assert await jobs.finished("older") == ("Failed", "PodFailurePolicy")
    (pod,) = jobs.pods("older")
    assert "lambda_builder" in jobs.log(pod, "build")


async def test_a_deadline_goes_on_over_a_restart(jobs: Jobs, hold: str):
    jobs.create("build", hold, activeDeadlineSeconds=2)
    async with jobs.controller():
        await jobs.until_file(jobs.folder / "pid")

    async with asyncio.timeout(30), jobs.controller():
        assert await jobs.finished("build") == ("Failed", "DeadlineExceeded")


async def test_files_of_killed_pods_are_removed_at_start(jobs: Jobs):
    leftover = jobs.folder / "builds" / "builds" / "build-abcde" / "volumes" / "workspace"
    leftover.mkdir(parents=True)

    async with jobs.controller():
        jobs.create("build", "pass")
        await jobs.finished("build")

    assert not leftover.exists()
