"""A build that leaves processes behind and looks around, on a real platform, both ways."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path

import pytest

from tests.helpers.child_processes import children_of
from tests.integration.helpers.isolation import Sleeper
from tests.integration.platform.helpers.platform_process import (
    PlatformProcess,
    is_running,
    wait_until,
)

SECRET = "only-for-the-platform"
ESCAPE = """
import os
for way in ("setsid {0} &", "(setsid sh -c '(setsid {0} &) &' &)", "env -i setsid {0} &"):
    os.system(way)
"""


@pytest.fixture(params=["bubblewrap", "supervisor"])
def hostile(request, platform: PlatformProcess, monkeypatch) -> PlatformProcess:
    """A platform that builds under the one or the other, with a secret in its environment."""
    monkeypatch.setenv("KN_LAMBDA_SECRET", SECRET)
    if request.param == "bubblewrap":
        platform.arguments.remove("--no-sandbox")
    return platform.start()


@pytest.fixture
def sandboxed(platform: PlatformProcess) -> PlatformProcess:
    platform.arguments.remove("--no-sandbox")
    return platform.start()


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


def escape(sleeper: Sleeper, *, then: str = "") -> str:
    return ESCAPE.format(sleeper.command) + then


STAY = "import time; time.sleep(600)"


def test_what_a_build_left_behind_ends_with_it(hostile: PlatformProcess, sleeper: Sleeper):
    hostile.create_job("build", escape(sleeper))
    wait_until(lambda: hostile.is_complete("build"))
    assert sleeper.pids() == []


def test_what_a_build_started_ends_when_it_is_deleted(hostile: PlatformProcess, sleeper: Sleeper):
    hostile.create_job("build", escape(sleeper, then=STAY))
    wait_until(lambda: len(sleeper.pids()) == 3)
    hostile.api("DELETE", "/apis/batch/v1/namespaces/builds/jobs/build")
    wait_until(lambda: not sleeper.pids())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_build_started_ends_with_the_platform(
    hostile: PlatformProcess, sleeper: Sleeper, number: signal.Signals
):
    hostile.create_job("build", escape(sleeper, then=STAY))
    wait_until(lambda: len(sleeper.pids()) == 3)
    hostile.process.send_signal(number)
    assert hostile.wait()[0] == 0
    assert sleeper.pids() == []


def test_kill_9_of_the_platform_takes_what_a_build_started(
    hostile: PlatformProcess, sleeper: Sleeper
):
    hostile.create_job("build", escape(sleeper, then=STAY))
    wait_until(lambda: len(sleeper.pids()) == 3)
    hostile.kill()
    wait_until(lambda: not sleeper.pids())


def test_what_a_killed_wrapper_process_leaves_ends_at_once(
    hostile: PlatformProcess, sleeper: Sleeper
):
    hostile.create_job("build", escape(sleeper, then=STAY))
    wait_until(lambda: len(sleeper.pids()) == 3)
    before = sleeper.pids()
    for pid in wrapper_processes(hostile):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, before)))


def test_a_build_opens_nothing_of_the_platforms_process(hostile: PlatformProcess):
    of_process = Path(f"/proc/{hostile.process.pid}")
    names = ("environ", "mem", "maps", "fd/0", "root/etc/passwd", "cwd/.", "exe")
    ends = opened(hostile, [of_process / name for name in names], "os.O_RDONLY")
    assert {place: end for place, end in ends.items() if end not in REFUSED} == {}


def test_a_sandboxed_build_sees_no_process_but_its_own(sandboxed: PlatformProcess):
    # Beside itself: what started it, and the first one of its sandbox.
    script = "import glob; print(len(glob.glob('/proc/[0-9]*')))"
    assert int(run(sandboxed, script)) <= 3


def test_a_sandboxed_build_reads_nothing_of_data_folder_and_home(sandboxed: PlatformProcess):
    beside = sandboxed.home.parent / "beside"
    beside.write_text(SECRET)
    places = [
        *sandboxed.home.iterdir(),
        beside,
        Path.home() / ".bashrc",
        sandboxed.home / "pods" / "builds",
        sandboxed.home / "storage" / "..",
    ]
    script = f"import os; print([path for path in {list(map(str, places))} if visible(path)])"
    # Its own pod and caches lie there, and nothing beside them.
    own = {"builds", "cache"}
    seen = eval(run(sandboxed, VISIBLE + script))  # its own list
    assert {path.rpartition("/")[2] for path in seen} <= own


VISIBLE = """
import os
def visible(path):
    try:
        return bool(os.listdir(path)) if os.path.isdir(path) else bool(open(path, 'rb').read(1))
    except OSError:
        return False
"""


def test_a_sandboxed_build_changes_nothing_of_the_machine(sandboxed: PlatformProcess):
    files = ("/etc/hostname", "/proc/sys/kernel/core_pattern", "/usr/x", "/x")
    ends = opened(sandboxed, list(map(Path, files)), "os.O_WRONLY | os.O_CREAT")
    assert {file: end for file, end in ends.items() if end not in READ_ONLY} == {}


def test_a_sandboxed_build_has_a_temporary_folder_of_its_own(sandboxed: PlatformProcess):
    script = "import os; open('/tmp/mine', 'w').close(); print(os.listdir('/tmp'))"
    assert "mine" in run(sandboxed, script)
    assert not Path("/tmp/mine").exists()


OPENED = """
import json, os
def end(place):
    try:
        os.open(place, {flags})
    except OSError as error:
        return error.errno
print(json.dumps({{place: end(place) for place in {places}}}))
"""
REFUSED = {errno.EACCES, errno.EPERM, errno.ENOENT}
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def opened(platform: PlatformProcess, places: list[Path], flags: str) -> dict[str, int | None]:
    """How one build ends that opens each of them: an error's number, or None where it can."""
    ends: dict[str, int | None] = json.loads(
        run(platform, OPENED.format(flags=flags, places=list(map(str, places))))
    )
    assert len(ends) == len(places)
    return ends


def run(platform: PlatformProcess, script: str) -> str:
    """What a build prints."""
    platform.create_job("looks", script)
    wait_until(lambda: bool(platform.job_status("looks").get("conditions")))
    (log,) = (platform.home / "pods" / "builds").glob("looks-*/main.log")
    said = log.read_text()
    assert platform.is_complete("looks"), said
    return said


def wrapper_processes(platform: PlatformProcess) -> list[int]:
    """What the platform has as its own children: it starts nothing but what holds others."""
    return children_of(platform.process.pid)
