"""Whatever a program starts, and however it hides that, ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from lambda_sandbox.isolation.launch import children_of
from tests.integration.helpers.isolation import command_lines

ESCAPE_AND = "import os, sys, time; os.system(sys.argv[1]); print('up', flush=True); "
STAY = ESCAPE_AND + "time.sleep(600)"


async def test_what_left_its_group_ends_with_the_program(start, escape, sleeper):
    child = await start(ESCAPE_AND, escape)
    assert await child.wait() == 0
    assert sleeper.pids() == []


async def test_what_left_its_group_ends_with_a_crash(start, escape, sleeper):
    child = await start(ESCAPE_AND + "os.kill(os.getpid(), 11)", escape)
    assert await child.wait() == -signal.SIGSEGV
    assert sleeper.pids() == []


async def test_what_left_its_group_ends_when_the_program_is_stopped(start, escape, sleeper):
    child = await start(STAY, escape)
    await sleeper.started()
    assert await child.stop(60) == -signal.SIGTERM
    assert sleeper.pids() == []


async def test_what_left_its_group_ends_when_the_program_is_killed(start, escape, sleeper):
    child = await start(
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{STAY}", escape
    )
    await sleeper.started()
    assert await child.stop(0) == -signal.SIGKILL
    assert sleeper.pids() == []


async def test_a_process_that_is_always_on_the_run_is_caught(start, sleeper):
    hop = "import os\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()\n"
    arguments = f"[sys.executable, '-c', {hop!r}, {sleeper.seconds!r}]"
    child = await start(f"import subprocess, sys; subprocess.Popen({arguments})")
    assert await child.wait() == 0
    assert not [pid for pid, words in command_lines() if words[-2:-1] == [sleeper.seconds]]


async def test_sigterm_reaches_the_program_and_nothing_else(start, sleeper, log):
    code = (
        "import os, signal, subprocess, sys\n"
        "import time\n"
        # Not print: the signal may come while the program is still in its own.
        "def end(*_):\n"
        "    os.write(1, f'asked {other.poll()}'.encode())\n"
        "    sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"other = subprocess.Popen({sleeper.command.split()!r}, start_new_session=True)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = await start(code)
    async with asyncio.timeout(20):
        while "up" not in log():  # noqa: ASYNC110  # the program says so
            await asyncio.sleep(0.01)
    assert await child.stop(60) == 7
    assert "asked None" in log()


async def test_a_wrapper_process_that_is_stopped_is_ended_all_the_same(start, sleeper):
    child = await start(STAY, f"{sleeper.command} &")
    await sleeper.started()
    os.kill(child.pid, signal.SIGSTOP)
    child.kill()
    assert await child.wait() == -signal.SIGKILL
    assert sleeper.pids() == []


async def test_one_that_is_killed_at_once_was_killed(start):
    child = await start("import time; time.sleep(600)")
    child.kill()
    assert await child.wait() == -signal.SIGKILL


async def test_a_program_sees_default_signals(start, log):
    # A pipeline relies on SIGPIPE.
    await (await start("import signal; print(open('/proc/self/status').read())")).wait()
    line = next(line for line in log().splitlines() if line.startswith("SigIgn"))
    bits = int(line.split()[1], 16)
    ignored = {number for number in signal.valid_signals() if bits >> (number - 1) & 1}
    # Python itself ignores two; a shell has what it puts into the background ignore others.
    ours = {signal.SIGPIPE, signal.SIGXFSZ}
    inherited = {each for each in ignored - ours if signal.getsignal(each) is signal.SIG_IGN}
    assert ignored - inherited == ours


@pytest.mark.parametrize("status", [0, 3, 127, 255])
async def test_the_status_is_the_programs(start, status):
    assert await (await start(f"raise SystemExit({status})")).wait() == status


def test_a_process_that_is_gone_has_no_children():
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    assert children_of(gone.pid) == []


def test_children_are_seen_whichever_thread_started_them():
    code = (
        "import subprocess, threading\n"
        "def start():\n"
        "    subprocess.Popen(['sleep', '60'])\n"
        "    print('up', flush=True)\n"
        "    threading.Event().wait()\n"
        "threading.Thread(target=start).start()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout.readline() == b"up\n"
        (child,) = children_of(parent.pid)
        os.kill(child, signal.SIGKILL)
    finally:
        parent.kill()
        parent.communicate()
