"""A lambda that starts processes which hide from it: they end with it, however it ends."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox.isolation import View
from tests.helpers.changing_folders import contents_of
from tests.integration.helpers.isolation import (
    bubblewrap,
    command_lines,
    isolation,
    sleeper,
    supervisor,
)
from tests.integration.helpers.serving_platform import SERVER, TestLauncher

if TYPE_CHECKING:
    from lambda_sandbox.isolation import Isolation
    from tests.integration.helpers.isolation import Sleeper

__all__ = ["bubblewrap", "isolation", "sleeper", "supervisor"]


@pytest.fixture
def start(start_platform, isolation: Isolation, tmp_path: Path):
    """Start a platform on which a lambda is foreign; it may write to the test's folder."""
    programs = (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent)
    view = View(readable=programs, writable=(tmp_path,))
    launcher = TestLauncher(tmp_path, view)
    return lambda **settings: start_platform(launcher, isolation=isolation, **settings)


def hostile(sleeper: Sleeper) -> dict[str, str]:
    ways = ("setsid {0} &", "(setsid sh -c '(setsid {0} &) &' &)", "env -i setsid {0} &")
    return {"ESCAPE": "\n".join(way.format(sleeper.command) for way in ways)}


async def deploy(platform, sleeper: Sleeper, **template) -> None:
    platform.apply(environment=hostile(sleeper), **template)
    await platform.ready()
    await sleeper.started(3)


def server_of(folder: Path) -> int:
    """The lambda of a platform's folder, from outside of its sandbox."""
    mark = f"KN_LAMBDA_EMBEDDED={folder.resolve()}".encode()
    servers = [pid for pid, words in command_lines() if words[2:3] == [str(SERVER)]]
    # Those of other platforms may end meanwhile.
    environments = contents_of(Path(f"/proc/{pid}/environ") for pid in servers)
    (ours,) = [file.parent.name for file, content in environments if mark in content]
    return int(ours)


async def test_what_it_started_ends_when_it_scales_to_zero(start, sleeper):
    async with start(idle_window_seconds=0.02) as platform:
        await deploy(platform, sleeper)
        await platform.scaled_to_zero()
        assert sleeper.pids() == []


async def test_what_it_started_ends_when_it_is_deleted(start, sleeper):
    async with start() as platform:
        await deploy(platform, sleeper)
        platform.objects.delete("Service", "team", "hello")
        await platform.until(lambda: not platform.pods())
        await sleeper.gone()


async def test_what_it_started_ends_when_it_is_deployed_again(start, sleeper):
    async with start() as platform:
        await deploy(platform, sleeper)
        platform.apply(environment={"VERSION": "2"})
        await platform.ready()
        await sleeper.gone()


async def test_what_it_started_ends_when_it_crashes(start, sleeper):
    async with start() as platform:
        await deploy(platform, sleeper)
        before = set(sleeper.pids())
        assert (await platform.get("/crash"))[0] == 502
        await sleeper.gone(before)


async def test_what_it_started_ends_when_it_is_killed(start, sleeper):
    async with start() as platform:
        await deploy(platform, sleeper)
        before = set(sleeper.pids())
        os.kill(server_of(platform.folder), signal.SIGKILL)
        await sleeper.gone(before)


async def test_what_it_started_ends_when_it_never_becomes_ready(start, sleeper, tmp_path):
    async with start(progress_deadline_seconds=0.5) as platform:
        never = {"READY_IF": str(tmp_path / "never")}
        platform.apply(environment={**hostile(sleeper), **never})
        await platform.ready(status="False")
        assert sleeper.pids() == []


async def test_what_it_started_ends_with_the_platform(start, sleeper):
    async with start() as platform:
        await deploy(platform, sleeper)
    assert sleeper.pids() == []
