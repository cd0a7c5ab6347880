"""What runs by `lambda_builder.offline` has no network and reaches no other process."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import subprocess
import sys

import pytest

from lambda_builder import seccomp
from lambda_builder.offline import main

OFFLINE = [sys.executable, "-I", "-m", "lambda_builder.offline", "--"]
ATTEMPT = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "")
try:
    {}
except OSError as error:
    sys.exit(error.errno)
sys.exit(0)
"""
NUMBERS = {"x86_64": (41, 53, 101, 310, 311), "aarch64": (198, 199, 117, 270, 271)}
SOCKET, PAIR, PTRACE, READ_MEMORY, WRITE_MEMORY = NUMBERS.get(platform.machine(), (0,) * 5)
EPERM = 1


def attempt(code: str, launcher: list[str] = OFFLINE) -> int:
    """The error number that the code ends with."""
    command = [*launcher, sys.executable, "-I", "-c", ATTEMPT.format(code)]
    return subprocess.run(command, check=False, timeout=60).returncode


@pytest.mark.parametrize(
    "code",
    [
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "socket.socket(38, socket.SOCK_SEQPACKET)",
        "socket.socketpair(socket.AF_INET)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)",
        f"call({PAIR}, 1, ctypes.c_ulong(0xffffffff00000002), 0, (ctypes.c_int * 2)())",
        f"call({SOCKET}, ctypes.c_ulong(0xffffffff00000002), 1, 0)",
        "call(425, 8, 0)",
        "call(426, 0, 0, 0, 0, 0)",
        "call(427, 0, 0, 0, 0)",
        f"call({PTRACE}, 16, os.getppid(), 0, 0)",
        f"call({READ_MEMORY}, os.getppid(), 0, 0, 0, 0, 0)",
        f"call({WRITE_MEMORY}, os.getppid(), 0, 0, 0, 0, 0)",
        "call(438, os.pidfd_open(os.getppid()), 0, 0)",
    ],
)
def test_every_way_to_a_network_or_to_another_process_is_denied(code):
    assert attempt(code) == EPERM


@pytest.mark.parametrize(
    "code",
    [
        "a, b = socket.socketpair(); a.sendall(b'x'); assert b.recv(1) == b'x'",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "import subprocess; subprocess.run(['true'], check=True)",
        "os.fork()",
        "os.listdir('/')",
    ],
)
def test_what_builds_need_still_works(code):
    assert attempt(code) == 0


def test_it_is_the_filter_that_denies():
    assert attempt("socket.socket()", []) == 0


def test_what_it_starts_has_no_network_either():
    inner = ATTEMPT.format("socket.socket()")
    code = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {inner!r}]))"
    command = [*OFFLINE, sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == EPERM


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another architecture has no second one")
def test_system_calls_by_the_tables_of_other_architectures_are_denied():
    assert attempt("call(0x40000000 | 41, 2, 1, 0)") == EPERM
    # getpid by `int 0x80`, which is that of 32 bits.
    code = (
        "import mmap, ctypes;"
        "m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC);"
        "m.write(bytes.fromhex('b814000000cd80c3'));"
        "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m))); f()"
    )
    command = [*OFFLINE, sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == -signal.SIGSYS


def test_root_has_no_right_left_to_reach_others():
    code = (
        "import re, pathlib; status = pathlib.Path('/proc/self/status').read_text();"
        "print(re.search('CapEff:\\s*(\\w+)', status)[1], 'NoNewPrivs:\\t1' in status)"
    )
    done = subprocess.run(
        [*OFFLINE, sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    capabilities, no_new_privileges = done.stdout.split()
    chown, dac_override, fowner = 1 << 0, 1 << 1, 1 << 3
    assert int(capabilities, 16) & ~(chown | dac_override | fowner) == 0
    assert no_new_privileges == "True"


def refusal(tmp_path, monkeypatch):
    monkeypatch.setenv("RESULT_FILE", str(tmp_path / "result"))
    assert main(["--", sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]) == 75
    assert not (tmp_path / "ran").exists()
    said = json.loads((tmp_path / "result").read_text())
    assert said["reason"] == "SourceBuildUnavailable"
    return said["message"]


def test_nothing_runs_where_there_is_no_filter_for_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert "riscv64" in refusal(tmp_path, monkeypatch)


def test_nothing_runs_where_the_kernel_takes_no_filter(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(22, os.strerror(22))

    monkeypatch.setattr(seccomp, "control_process", refuse)
    assert "network" in refusal(tmp_path, monkeypatch)


@pytest.mark.parametrize("arguments", [[], ["--"], ["true"], ["--", "no-such-program"]])
def test_without_a_program_nothing_runs(arguments):
    assert main(arguments) == 75


def test_the_filter_is_made_for_every_architecture_of_our_images():
    for architecture in seccomp.ARCHITECTURES.values():
        program = seccomp.instructions(architecture)
        assert {len(instruction) for instruction in program} == {8}
        assert len(program) < 64
    assert ctypes.sizeof(ctypes.c_void_p) == 8
