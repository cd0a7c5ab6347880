"""Containers of Jobs in both kinds of isolation: what they share, and their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.helpers.isolation import bubblewrap, isolation, sleeper, supervisor

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox.isolation import Isolation
    from tests.integration.jobs.helpers.running_jobs import Jobs

__all__ = ["bubblewrap", "isolation", "sleeper", "supervisor"]


def mount(name: str) -> dict[str, str]:
    return {"name": name, "mountPath": f"/{name}"}


def container(name: str, script: str, *mounts: str, **environment: str) -> dict:
    return {
        "name": name,
        "command": ["python", "-c", script],
        "volumeMounts": [mount(each) for each in mounts],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
    }


async def test_containers_share_a_volume_and_leave_a_message(jobs: Jobs, isolation: Isolation):
    first = container(
        "first", "import os; open(os.environ['W'] + '/x', 'w').write('y')", "work", W="/work"
    )
    second = container(
        "second",
        "import os; text = open(os.environ['W'] + '/x').read()\n"
        "open(os.environ['TERMINATION_MESSAGE_PATH'], 'w').write(text)",
        "work",
        W="/work",
    )
    pod = {"initContainers": [first], "containers": [second]}
    async with jobs.controller(isolation):
        jobs.create("build", "pass", pod={**pod, "volumes": [{"name": "work", "emptyDir": {}}]})
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")
    (found,) = jobs.pods("build")
    state = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert state["message"] == "y"


async def test_a_sandboxed_container_sees_no_secret_of_another(jobs: Jobs, bubblewrap: Isolation):
    jobs.objects.create(
        "Secret",
        {"metadata": {"namespace": "builds", "name": "s"}, "stringData": {"token": "push"}},
    )
    search = (
        "import os\n"
        f"for folder, _, names in os.walk({str(jobs.folder)!r}):\n"
        "    if 'token' in names: print('found in', folder)"
    )
    pod = {
        "initContainers": [container("build", search)],
        "containers": [container("publish", search, "secret")],
        "volumes": [{"name": "secret", "secret": {"secretName": "s"}}],
    }
    async with jobs.controller(bubblewrap):
        jobs.create("build", "pass", pod=pod)
        await jobs.finished("build")
    (found,) = jobs.pods("build")
    assert jobs.log(found, "build") == ""
    assert jobs.log(found, "publish").startswith("found in")


async def test_urls_of_a_job_open_nothing_but_storage(
    jobs: Jobs, bubblewrap: Isolation, tmp_path: Path
):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "id").write_text("private")
    script = (
        "import os, pathlib\n"
        "for name in ('CONTEXT_URL', 'ANOTHER_URL'):\n"
        "    place = pathlib.Path(os.environ[name].removeprefix('file://'))\n"
        "    print(place.exists(), os.access(place, os.W_OK))"
    )
    urls = {"ANOTHER_URL": keys.as_uri(), "CONTEXT_URL": (keys / "id").as_uri()}
    pod = {"containers": [container("main", script, **urls)]}
    async with jobs.controller(bubblewrap):
        jobs.create("build", "pass", pod=pod)
        await jobs.finished("build")
    (found,) = jobs.pods("build")
    assert jobs.log(found, "main").splitlines() == ["False False", "False False"]


async def test_memory_outside_of_the_process_group_counts(jobs: Jobs, isolation: Isolation):
    greedy = "data = b'x' * (200 << 20); import time; time.sleep(600)"
    script = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {greedy!r}], start_new_session=True)\n"
        "time.sleep(600)"
    )
    async with jobs.controller(isolation, memory_poll_seconds=0.01):
        limits = {"resources": {"limits": {"memory": "100Mi"}}}
        jobs.create("build", script, container=limits)
        await jobs.finished("build")
    (found,) = jobs.pods("build")
    state = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (137, "OOMKilled")
