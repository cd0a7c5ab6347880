"""Ctrl-C, SIGTERM and a closed pipe end a command at once, as shells expect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.helpers.kubeconfigs import write_kubeconfig

INTERRUPTED = 130
# Each waits for the first response of the platform.
COMMANDS = [
    ("list",), ("describe", "hello"), ("invoke", "hello"), ("logs", "hello"),
    ("logs", "hello", "--follow"), ("logs", "hello", "--build", "--follow"),
    ("delete", "hello"), ("doctor",), ("deploy", "main.py"),
]  # fmt: skip


@pytest.fixture
def silent():
    """A server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


@pytest.fixture
def start(tmp_path, silent):
    """`start("list")` is a command that waits for the silent server, which it has reached."""
    write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{_port(silent)}")
    (tmp_path / "main.py").touch()
    environment = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
    }

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "kn_lambda", *arguments],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        return process, connection

    return run


def _port(server):
    return server.getsockname()[1]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_ctrl_c_ends_a_command_with_130_and_no_traceback(start, command):
    process, connection = start(*command)
    with process, connection:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert process.returncode == INTERRUPTED, stderr
    assert "Traceback" not in stderr
    assert "Aborted" not in stderr
    assert "bug" not in stderr


def test_ctrl_c_while_kn_lambda_is_loaded_ends_it_silently():
    interrupted = """
import os, signal, sys

class InterruptsTheImportOfClick:
    def find_spec(self, name, path, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, InterruptsTheImportOfClick())
from kn_lambda.__main__ import run
run()
"""
    done = subprocess.run(
        [sys.executable, "-c", interrupted], capture_output=True, text=True, check=False
    )
    # Shells show it as 130.
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_sigterm_ends_a_command_which_shells_show_as_143(start):
    process, connection = start("list")
    with process, connection:
        process.terminate()
        _, stderr = process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert stderr == ""


@pytest.mark.parametrize("command", [("list", "-o", "json"), ("list", "-o", "name")], ids=" ".join)
def test_a_reader_that_goes_away_ends_a_command_silently(start, command):
    process, connection = start(*command)
    with process, connection:
        process.stdout.close()
        metadata = {"namespace": "default", "name": "hello"}
        _respond(connection, {"items": [{"metadata": metadata}] * 1000})
        stderr = process.stderr.read()
    assert stderr == ""
    assert process.returncode == 1


def _respond(connection, document):
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
