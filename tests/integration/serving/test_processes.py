"""Children that end, are ended, talk too much, or are left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox.children import ChildProcess, start_process
from lambda_sandbox.leftovers import end_leftovers
from lambda_sandbox.log_file import RotatingLog

if TYPE_CHECKING:
    from pathlib import Path

PATH = os.environ["PATH"]  # noqa: TID251  # the children of these tests find the same programs


async def start(
    tmp_path: Path, code: str, *, log_limit_bytes: int = 2**20, **options
) -> ChildProcess:
    return await start_process(
        [sys.executable, "-c", code],
        environment={"PATH": PATH, **options.pop("environment", {})},
        working_directory=tmp_path,
        log=RotatingLog(tmp_path / "logs" / "main.log", limit_bytes=log_limit_bytes),
        data_folder=tmp_path,
        **options,
    )


def log(tmp_path: Path) -> str:
    return (tmp_path / "logs" / "main.log").read_text()


async def logged(tmp_path: Path, words: int) -> None:
    async with asyncio.timeout(20):
        while len(log(tmp_path).split()) < words:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.01)


async def test_exit_status_and_both_streams_are_complete_when_wait_returns(tmp_path):
    child = await start(
        tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    )
    assert await child.wait() == 3
    assert sorted(log(tmp_path).split()) == ["err", "out"]
    assert child.stderr_tail == "err"


async def test_a_child_gets_the_given_environment_and_nothing_else(tmp_path):
    child = await start(
        tmp_path, "import os; print(sorted(os.environ))", environment={"ONLY": "this"}
    )
    await child.wait()
    names = set(eval(log(tmp_path))) - {"LC_CTYPE"}  # the interpreter itself sets that one
    assert names == {"KN_LAMBDA_EMBEDDED", "ONLY", "PATH"}


async def test_a_missing_program_is_an_error_of_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await start_process(
            ["no-such-program"],
            environment={},
            working_directory=tmp_path,
            log=RotatingLog(tmp_path / "log", limit_bytes=2**20),
            data_folder=tmp_path,
        )


async def test_stop_takes_a_child_that_ignores_sigterm_and_its_whole_group(tmp_path):
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pid = os.fork()\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = await start(tmp_path, code)
    await logged(tmp_path, 2)
    assert await child.stop(0.1) == -signal.SIGKILL
    assert await end_leftovers(tmp_path) == 0


async def test_sigterm_alone_ends_a_child_that_listens_to_it(tmp_path):
    child = await start(tmp_path, "import time; print('up', flush=True); time.sleep(600)")
    await logged(tmp_path, 1)
    assert await child.stop(60) == -signal.SIGTERM


async def test_a_chatty_child_neither_blocks_nor_fills_the_disk(tmp_path):
    limit = 64 * 1024
    code = "for n in range(40000): print('line', n, 'x' * 40)\nprint('done')"
    child = await start(tmp_path, code, log_limit_bytes=limit)
    assert await child.wait() == 0
    assert log(tmp_path).endswith("done\n")
    kept = {"main.log", "main.log.1"}
    written = {file.name for file in (tmp_path / "logs").iterdir()}
    assert written == kept | {f"{name}.times" for name in kept}
    assert sum(file.stat().st_size for file in (tmp_path / "logs").iterdir()) <= 2 * limit


async def test_leftovers_are_those_of_this_data_folder_only(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    processes = []
    for folder in (mine, other):
        folder.mkdir()
        marker = {"KN_LAMBDA_EMBEDDED": str(folder), "PATH": PATH}
        processes.append(
            subprocess.Popen(  # noqa: ASYNC220
                [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
                env=marker,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        )
        # Linux fills in /proc/<pid>/environ a moment after exec.
        assert processes[-1].stdout.readline() == b"up\n"
    try:
        assert await end_leftovers(mine, patience_seconds=0.1) == 1
        assert processes[0].wait(20) == -signal.SIGKILL
        assert processes[1].poll() is None
    finally:
        for process in processes:
            process.kill()
            process.communicate()
