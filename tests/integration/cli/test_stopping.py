"""`kn-lambda down` stops the process that holds the lock of the data folder, and no other."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from kn_lambda.local_platform.stopping import UnknownOwnerError, stop_platform
from lambda_embedded.data_folder import DataFolder

# Takes the lock as the platform does, then waits for its end.
HOLDER = """
import pathlib, signal, sys
from lambda_embedded.data_folder import DataFolder
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with DataFolder(pathlib.Path(sys.argv[1])).lock():
    print("ready", flush=True)
    sys.stdin.read()
"""
BYSTANDER = "print('ready', flush=True)\nimport sys\nsys.stdin.read()"


@pytest.fixture
def start():
    """`start(code, *arguments)` is a process that has said that it is ready."""
    with contextlib.ExitStack() as ended:

        def run(code, *arguments):
            command = [sys.executable, "-c", code, *map(str, arguments)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            ended.enter_context(process)
            ended.callback(process.kill)
            assert process.stdout.readline() == b"ready\n"
            return process

        yield run


@pytest.fixture
def folder(tmp_path):
    folder = DataFolder(tmp_path / "home")
    folder.create()
    return folder


def down(folder, seconds=60.0):
    return stop_platform(folder.root, seconds, lambda _: None)


def test_the_platform_is_stopped_and_its_pid_returned(folder, start):
    platform = start(HOLDER, folder.root)
    assert down(folder) == platform.pid
    assert not folder.is_locked()
    assert platform.wait(60) != 0


def test_where_none_runs_nothing_is_done(folder, tmp_path):
    assert down(folder) is None
    assert down(DataFolder(tmp_path / "nothing")) is None


def test_a_process_that_got_the_pid_of_a_killed_platform_is_left_alone(folder, start):
    bystander = start(BYSTANDER)
    folder.lock_file.write_text(str(bystander.pid))
    assert down(folder) is None
    assert bystander.poll() is None


def test_a_pid_that_somebody_wrote_into_the_lock_is_not_believed(folder, start):
    platform, bystander = start(HOLDER, folder.root), start(BYSTANDER)
    folder.lock_file.write_text(str(bystander.pid))
    with pytest.raises(UnknownOwnerError):
        down(folder)
    assert bystander.poll() is None
    assert platform.poll() is None


def test_a_platform_that_does_not_stop_is_named_and_not_killed(folder, start):
    platform = start(HOLDER, folder.root, "deaf")
    with pytest.raises(TimeoutError, match=f"pid {platform.pid}"):
        down(folder, seconds=0.05)
    assert platform.poll() is None
