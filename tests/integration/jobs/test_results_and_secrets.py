"""What build Jobs need beside containers: variables of a Secret made later, a result in storage."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.helpers.isolation import bubblewrap, isolation, supervisor

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox.isolation import Isolation
    from tests.integration.jobs.helpers.running_jobs import Jobs

__all__ = ["bubblewrap", "isolation", "supervisor"]

WRITE = (
    "import os, pathlib\n"
    "pathlib.Path(os.environ['RESULT_URL'].removeprefix('file://')).write_bytes({content})"
)


def variable(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def from_secret(name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "opens", "key": key, **more}}}


def make_secret(jobs: Jobs, **values: str) -> None:
    metadata = {"namespace": "builds", "name": "opens"}
    jobs.objects.create("Secret", {"metadata": metadata, "stringData": values})


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """The folder of storage, with an object of somebody else."""
    folder = tmp_path / "storage"
    (folder / "packages/team").mkdir(parents=True)
    (folder / "packages/team/other").write_text("of another build")
    return folder


def leaving(storage: Path, *, limit: int | str = 1000) -> dict[str, Any]:
    url = (storage / "packages/team/mine").as_uri()
    return {"env": [variable("RESULT_URL", url), variable("RESULT_MAX_BYTES", str(limit))]}


def objects_of(storage: Path) -> list[str]:
    return sorted(each.name for each in storage.glob("packages/team/*"))


def message_of(jobs: Jobs) -> dict[str, Any]:
    ended = jobs.pods("build")[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    return json.loads(ended["message"]) | {"exitCode": ended["exitCode"]}


def state_of(jobs: Jobs) -> dict[str, Any]:
    """The state of the container of the only Pod; empty before there is one."""
    for pod in jobs.pods("build"):
        for status in pod["status"].get("containerStatuses") or ():
            return status["state"]
    return {}


async def test_a_pod_waits_for_a_secret_that_is_made_after_its_job(jobs: Jobs):
    async with jobs.controller():
        jobs.create(
            "build",
            "import os; print(os.environ['URL'])",
            container={"env": [from_secret("URL", "url")]},
        )
        await jobs.until(lambda: "waiting" in state_of(jobs))
        waiting = state_of(jobs)["waiting"]
        assert waiting["reason"] == "CreateContainerConfigError"
        assert "Secret builds/opens does not exist" in waiting["message"]
        make_secret(jobs, url="here")
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")
    (pod,) = jobs.pods("build")
    assert jobs.log(pod, "step-0") == "here\n"


async def test_a_pod_that_has_its_secret_waits_for_its_turn_alone(jobs: Jobs):
    def reason() -> str:
        conditions = jobs.pods("build")[0]["status"]["conditions"]
        return next(each.get("reason", "") for each in conditions if each["type"] == "PodScheduled")

    async with jobs.controller(max_pods=1):
        jobs.create("other", "import time; time.sleep(600)")
        await jobs.until(
            lambda: [each["status"]["phase"] for each in jobs.pods("other")] == ["Running"]
        )
        jobs.create("build", "pass", container={"env": [from_secret("URL", "url")]})
        await jobs.until(lambda: "waiting" in state_of(jobs))
        make_secret(jobs, url="here")
        await jobs.until(lambda: reason() == "SchedulingGated")
        assert state_of(jobs)["waiting"] == {"reason": "PodInitializing"}
        jobs.objects.delete("Job", "builds", "other")
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")


async def test_a_pod_that_waits_for_a_secret_keeps_no_other_from_running(jobs: Jobs):
    async with jobs.controller(max_pods=1):
        jobs.create("build", "pass", container={"env": [from_secret("URL", "url")]})
        await jobs.until(lambda: "waiting" in state_of(jobs))
        jobs.create("other", "pass")
        assert await jobs.finished("other") == ("Complete", "CompletionsReached")


async def test_a_secret_that_never_comes_ends_with_the_deadline(jobs: Jobs):
    async with jobs.controller():
        variables = {"env": [from_secret("URL", "url")]}
        jobs.create("build", "pass", container=variables, activeDeadlineSeconds=1)
        assert await jobs.finished("build") == ("Failed", "DeadlineExceeded")


async def test_a_job_that_waits_for_a_secret_can_be_deleted(jobs: Jobs):
    async with jobs.controller():
        jobs.create("build", "pass", container={"env": [from_secret("URL", "url")]})
        await jobs.until(lambda: "waiting" in state_of(jobs))
        jobs.objects.delete("Job", "builds", "build")
        await jobs.until(lambda: not jobs.pods("build"))


async def test_a_key_that_is_optional_is_not_waited_for(jobs: Jobs):
    make_secret(jobs, url="here")
    async with jobs.controller():
        variables = {"env": [from_secret("URL", "url"), from_secret("X", "x", optional=True)]}
        jobs.create("build", "import os; assert 'X' not in os.environ", container=variables)
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")


async def test_a_variable_that_can_never_be_is_not_waited_for(jobs: Jobs):
    async with jobs.controller():
        never = {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}
        jobs.create("build", "pass", container={"env": [from_secret("URL", "url"), never]})
        assert await jobs.finished("build") == ("Failed", "BackoffLimitExceeded")
    ended = state_of(jobs)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert "not supported" in ended["message"]


async def test_what_a_container_leaves_is_in_storage_before_its_end_is_told(
    jobs: Jobs, storage: Path, isolation: Isolation
):
    async with jobs.controller(isolation, opened=[storage]):
        jobs.create("build", WRITE.format(content="b'packed'"), container=leaving(storage))
        await jobs.until(lambda: "terminated" in state_of(jobs))
        assert (storage / "packages/team/mine").read_bytes() == b"packed"
        await jobs.finished("build")


async def test_a_container_sees_nothing_of_storage_but_its_own_result(
    jobs: Jobs, storage: Path, bubblewrap: Isolation
):
    script = (
        "import os, pathlib\n"
        "place = pathlib.Path(os.environ['RESULT_URL'].removeprefix('file://'))\n"
        f"print(os.path.exists({str(storage)!r}), os.listdir(place.parent))\n"
        + WRITE.format(content="b''")
    )
    async with jobs.controller(bubblewrap, opened=[storage]):
        jobs.create("build", script, container=leaving(storage))
        await jobs.finished("build")
    (pod,) = jobs.pods("build")
    assert jobs.log(pod, "step-0") == "False []\n"
    assert (storage / "packages/team/other").read_text() == "of another build"


async def test_nothing_is_stored_of_a_container_that_failed(jobs: Jobs, storage: Path):
    script = WRITE.format(content="b'half'") + "\nraise SystemExit(75)"
    async with jobs.controller(opened=[storage]):
        jobs.create("build", script, container=leaving(storage))
        await jobs.finished("build")
    assert not (storage / "packages/team/mine").exists()


async def test_nothing_is_visible_while_a_container_still_writes(
    jobs: Jobs, storage: Path, hold: str
):
    script = WRITE.format(content="b'half'") + "\n" + hold
    async with jobs.controller(opened=[storage]):
        jobs.create("build", script, container=leaving(storage))
        await jobs.until_file(jobs.folder / "pid")
        assert objects_of(storage) == ["other"]
        (jobs.folder / "go").touch()
        await jobs.finished("build")
    assert (storage / "packages/team/mine").read_bytes() == b"half"


@pytest.mark.parametrize(("size", "is_stored"), [(1000, True), (1001, False)])
async def test_a_result_over_its_limit_fails_as_the_mistake_of_its_author(
    jobs: Jobs, storage: Path, size: int, is_stored: bool
):
    async with jobs.controller(opened=[storage]):
        script = WRITE.format(content=f"b'x' * {size}")
        jobs.create("build", script, container=leaving(storage))
        await jobs.finished("build")
    assert (storage / "packages/team/mine").exists() is is_stored
    if not is_stored:
        said = message_of(jobs)
        assert (said["reason"], said["exitCode"]) == ("PackagesTooLarge", 1)
        assert "1000 bytes" in said["message"]


@pytest.mark.parametrize(
    "trick",
    ["os.symlink('/etc/passwd', place)", "os.mkfifo(place)", "place.mkdir()", "pass"],
    ids=["link", "pipe", "folder", "nothing"],
)
async def test_only_a_plain_file_becomes_an_object(jobs: Jobs, storage: Path, trick: str):
    script = (
        "import os, pathlib\n"
        "place = pathlib.Path(os.environ['RESULT_URL'].removeprefix('file://'))\n" + trick
    )
    async with jobs.controller(opened=[storage]):
        jobs.create("build", script, container=leaving(storage))
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")
    assert not (storage / "packages/team/mine").exists()


@pytest.mark.parametrize("trick", ["os.mkfifo(place)", "os.mkdir(place)", "os.symlink('x', place)"])
async def test_a_termination_message_that_is_no_file_is_none(jobs: Jobs, trick: str):
    script = f"import os; place = os.environ['TERMINATION_MESSAGE_PATH']; os.remove(place); {trick}"
    async with jobs.controller():
        jobs.create("build", script)
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")


async def test_a_result_outside_of_storage_is_refused(jobs: Jobs, storage: Path, tmp_path: Path):
    (tmp_path / "packages/team").mkdir(parents=True)
    async with jobs.controller(opened=[storage]):
        jobs.create("build", WRITE.format(content="b''"), container=leaving(tmp_path))
        await jobs.finished("build")
    assert message_of(jobs)["reason"] == "ResultUnavailable"
    assert not (tmp_path / "packages/team/mine").exists()


async def test_a_full_disk_fails_the_build_and_leaves_no_part(
    jobs: Jobs, storage: Path, tmp_path: Path
):
    # A file where a folder has to be stands for a store that takes nothing.
    (tmp_path / "storage/packages/taken").write_text("")
    url = (storage / "packages/taken/mine").as_uri()
    variables = [variable("RESULT_URL", url), variable("RESULT_MAX_BYTES", "9")]
    async with jobs.controller(opened=[storage]):
        jobs.create("build", WRITE.format(content="b''"), container={"env": variables})
        await jobs.finished("build")
    said = message_of(jobs)
    assert (said["reason"], said["exitCode"]) == ("ResultUnavailable", 75)


async def test_a_result_without_a_limit_is_refused_before_anything_runs(jobs: Jobs, storage: Path):
    async with jobs.controller(opened=[storage]):
        jobs.create("build", "pass", container=leaving(storage, limit=""))
        await jobs.finished("build")
    ended = state_of(jobs)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert "RESULT_MAX_BYTES" in ended["message"]


async def test_a_pod_that_the_platforms_end_cut_off_leaves_its_result_with_the_next(
    jobs: Jobs, storage: Path, hold: str
):
    script = WRITE.format(content="b'packed'") + "\n" + hold
    async with jobs.controller(opened=[storage]):
        jobs.create("build", script, container=leaving(storage))
        await jobs.until_file(jobs.folder / "pid")
    assert not (storage / "packages/team/mine").exists()
    (jobs.folder / "go").touch()
    async with jobs.controller(opened=[storage]), asyncio.timeout(60):
        assert await jobs.finished("build") == ("Complete", "CompletionsReached")
    assert (storage / "packages/team/mine").read_bytes() == b"packed"
