"""The server of one function: a process on a port of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

import aiohttp

from lambda_embedded.serving.pool.lambda_process import describe_end
from lambda_embedded.serving.pool.port_owner import free_port, is_taken_by_others
from lambda_sandbox.children import start_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_sandbox.children import ChildProcess, Log
    from lambda_sandbox.isolation import Isolation

LOOPBACK = "127.0.0.1"
_PROBE_SECONDS, _SLOW_PROBE_SECONDS = 0.01, 0.1
_PROBES_BEFORE_SLOW = 200
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class StartError(Exception):
    """The server did not become ready; the message says why, with its last output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerCommand:
    """What to start; `environment` gets HOST and PORT besides."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    working_directory: Path


class ServerProcess:
    """A started server, to which the proxy forwards requests once it is ready."""

    def __init__(self, child: ChildProcess, port: int) -> None:
        self._child = child
        self._port = port
        self.origin = f"http://{LOOPBACK}:{port}"
        self.request_headers: dict[str, str] = {}

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, stopped or by itself."""
        return self._child.returncode is not None

    def last_words(self) -> str:
        """Return the last line that it wrote to stderr, or how it ended."""
        lines = self._child.stderr_tail.splitlines()
        return lines[-1] if lines else describe_end(self._child)

    async def wait(self) -> None:
        """Return once the process, and all that it started, is gone."""
        await self._child.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Let it finish its requests, and end it after the grace period."""
        await self._child.stop(grace_seconds)

    async def until_ready(self, session: aiohttp.ClientSession, seconds: float | None) -> None:
        """Return once it takes requests; `StartError` if it ends, or does not in time."""
        ended = asyncio.ensure_future(self._child.wait())
        pauses = chain(repeat(_PROBE_SECONDS, _PROBES_BEFORE_SLOW), repeat(_SLOW_PROBE_SECONDS))
        try:
            async with asyncio.timeout(seconds):
                while not await self._is_ready(session):
                    await asyncio.wait({ended}, timeout=next(pauses))
                    if ended.done():
                        raise StartError(self.last_words())
        except TimeoutError:
            raise StartError(
                f"the function was not ready after {seconds:g} s: {self.last_words()}"
            ) from None
        finally:
            ended.cancel()
        if is_taken_by_others(self._port, self._child.pid):
            raise StartError(f"another program took port {self._port}; save again to try another")

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        url = f"{self.origin}/health/readiness"
        try:
            async with session.get(url, timeout=_PROBE_TIMEOUT, allow_redirects=False) as response:
                return response.ok
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False


async def start_server(
    command: ServerCommand, *, log: Log, data_folder: Path, isolation: Isolation
) -> ServerProcess:
    """Start a server on a free port; it is not ready yet. `StartError` if that is not possible."""
    port = free_port()
    environment = {**command.environment, "HOST": LOOPBACK, "PORT": str(port)}
    try:
        child = await start_process(
            command.arguments,
            environment=environment,
            working_directory=command.working_directory,
            log=log,
            data_folder=data_folder,
            isolation=isolation,
        )
    except (OSError, ValueError) as error:
        raise StartError(f"the process cannot be started: {error}") from error
    return ServerProcess(child, port)
