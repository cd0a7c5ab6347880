"""Child processes with all that they start: a bounded log each, and none outlives the platform."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Protocol, cast

from typing_extensions import override

from lambda_sandbox.family import FAMILY
from lambda_sandbox.isolation import NoIsolation, Program, View
from lambda_sandbox.leftovers import mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_sandbox.isolation import Isolation

_STDERR = 2
_TAIL_BYTES = 4096
_DRAIN_SECONDS = 2.0


class Log(Protocol):
    """Where the output of a child goes, as it comes."""

    def write(self, data: bytes) -> None:
        """Take a piece of stdout or stderr; must not raise."""
        ...

    def close(self) -> None:
        """There is no more; called once or more."""
        ...


class ChildProcess(asyncio.SubprocessProtocol):
    """A running child; everything that it starts ends with it."""

    def __init__(self, log: Log, isolation: Isolation) -> None:
        self._log = log
        self._isolation = isolation
        self._tail = bytearray()
        self._drained = asyncio.Event()
        self._finished = asyncio.Event()
        self._transport: asyncio.SubprocessTransport
        self._finishing: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The id of the wrapper process, the ancestor of all processes of the child."""
        return self._transport.get_pid()

    @property
    def returncode(self) -> int | None:
        """None while it runs; the exit status, or minus the signal that ended it."""
        code = self._transport.get_returncode()
        return None if code is None else self._isolation.status(code)

    @property
    def stderr_tail(self) -> str:
        """The last 4 KiB that it wrote to stderr, from the start of a line."""
        tail = bytes(self._tail)
        if len(tail) >= _TAIL_BYTES and b"\n" in tail:
            tail = tail.split(b"\n", 1)[1]
        return tail.decode(errors="replace").strip()

    async def wait(self) -> int:
        """Return the exit status once all its processes are gone and the log is complete."""
        await self._finished.wait()
        return cast("int", self.returncode)

    async def stop(self, grace_seconds: float) -> int:
        """Send SIGTERM to the program, call `kill` after the grace period, and wait."""
        if self.returncode is None:
            self._isolation.terminate(self.pid)
        try:
            async with asyncio.timeout(grace_seconds):
                return await self.wait()
        except TimeoutError:
            self.kill()
            return await self.wait()

    def kill(self) -> None:
        """Send SIGKILL to all its processes, unless it has ended."""
        if self.returncode is None:
            self._isolation.kill(self.pid)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Append what the child wrote to its log."""
        self._log.write(data)
        if fd == _STDERR:
            self._tail += data
            del self._tail[:-_TAIL_BYTES]

    @override
    def process_exited(self) -> None:
        """Kill what may be left, which would hold the pipes open."""
        self._isolation.clean_up(self.pid)
        FAMILY.forget(self.pid)
        self._finishing = asyncio.ensure_future(self._finish())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Note that both pipes are closed."""
        del exc
        self._drained.set()

    async def _finish(self) -> None:
        await FAMILY.end_adopted()
        # A process outside of our control may have inherited the pipes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._drained.wait()
        self._transport.close()
        self._log.close()
        self._finished.set()


async def start_process(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    working_directory: Path,
    log: Log,
    data_folder: Path,
    isolation: Isolation | None = None,
    view: View | None = None,
) -> ChildProcess:
    """Start a program found on the PATH of `environment`, which it gets with the marker added.

    The log gets what it writes to stdout and stderr, and is closed at its end, or if it cannot be
    started: then this raises `OSError`.
    """
    isolation = isolation or NoIsolation()
    marker = mark(data_folder)
    try:
        program = Program(
            arguments=[_find(arguments[0], environment), *arguments[1:]],
            environment={**environment, **marker},
            working_directory=working_directory,
        )
        launch = isolation.launch(program, view or View())
        with contextlib.closing(launch), FAMILY.growing() as born:
            _, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: ChildProcess(log, isolation),
                *launch.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                env={**launch.environment, **marker},
                cwd=working_directory,
                start_new_session=True,
                pass_fds=launch.descriptors,
            )
            born(child.pid)
    except BaseException:
        log.close()
        raise
    return child


def _find(program: str, environment: Mapping[str, str]) -> str:
    path = shutil.which(program, path=environment.get("PATH", os.defpath))
    if path is None:
        raise FileNotFoundError(f"program {program!r} not found")
    return path
