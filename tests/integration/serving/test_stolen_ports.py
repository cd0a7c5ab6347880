"""Another user of this machine who listens on a port before the process that is meant to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_embedded.serving.launchers.launcher import Command
from lambda_embedded.serving.pool.port_owner import is_taken_by_others
from tests.integration.helpers.serving_platform import SERVER

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="takes another user, hence root")

NOBODY = 65534
# Answers everything with 200, as a process would that is ready.
THIEF = f"""
import os, pathlib, socket, sys
pathlib.Path("thief.pid").write_text(str(os.getpid()))
os.setuid({NOBODY})  # as root it finds its way to this interpreter
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" b"stolen")
    connection.close()
"""
ROBBED = f"""
import pathlib, subprocess, sys, time
mark = pathlib.Path("robbed")
if mark.exists():
    import runpy
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
mark.touch()
# Whoever takes a port is no child of the one that wanted it.
subprocess.run(["setsid", "--fork", sys.executable, "-c", {THIEF!r}, sys.argv[2]])
time.sleep(600)
"""


class RobbedLauncher:
    """Runs a program whose port somebody else takes the first time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def accepts(self, template) -> bool:
        return True

    async def prepare(self, namespace: str, name: str, template) -> Command:
        return Command(
            arguments=[sys.executable, "-c", ROBBED, str(SERVER), "$(PORT)"],
            environment={"STARTS": str(self.folder / "starts")},
            working_directory=self.folder,
        )

    async def collect(self, templates) -> None:
        pass


def test_a_listener_that_is_no_descendant_is_known(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        assert not is_taken_by_others(port, os.getpid())
    command = [sys.executable, "-c", THIEF, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as thief:
        assert thief.stdout.readline() == b"up\n"
        assert not is_taken_by_others(port, os.getpid())
        with subprocess.Popen(["sleep", "60"]) as other:
            assert is_taken_by_others(port, other.pid)
            other.kill()
        thief.kill()


async def test_nothing_is_sent_to_who_took_the_port_of_a_process(start_platform, tmp_path):
    tmp_path.chmod(0o755)
    async with start_platform(RobbedLauncher(tmp_path)) as platform:
        platform.apply()
        await platform.ready()
        status, body = await platform.get()
        assert (tmp_path / "robbed").exists()
        assert (status, "stolen" in body) == (200, False)
        os.kill(int((tmp_path / "thief.pid").read_text()), signal.SIGKILL)
