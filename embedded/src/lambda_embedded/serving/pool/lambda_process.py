"""One running process of a revision."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.serving.pool.pod import LambdaPod
    from lambda_sandbox.children import ChildProcess


class LambdaProcess:
    """A process that passed its readiness probe; its pool counts its requests in progress."""

    def __init__(
        self,
        child: ChildProcess,
        port: int,
        pod: LambdaPod,
        request_headers: Mapping[str, str],
        *,
        takes_token: bool = False,
    ) -> None:
        self._child = child
        self.takes_token = takes_token
        """Whether it may see the platform's token."""
        self.request_headers = request_headers
        """Headers that the gateway adds to every request."""
        self._ready_at = asyncio.get_running_loop().time()
        self.pod = pod
        self.origin = f"http://127.0.0.1:{port}"
        self.under_way = 0
        self.is_stopping = False

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, stopped or by itself."""
        return self._child.returncode is not None

    @property
    def returncode(self) -> int | None:
        """None while it runs; the exit status, or minus the signal that ended it."""
        return self._child.returncode

    @property
    def alive_seconds(self) -> float:
        """How long ago it became ready."""
        return asyncio.get_running_loop().time() - self._ready_at

    def last_words(self) -> str:
        """Return how it ended and what it wrote last, for a person."""
        return describe_end(self._child)

    async def wait(self) -> None:
        """Return once the process and its group are gone."""
        await self._child.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Stop it with SIGTERM, after the grace period with SIGKILL."""
        self.is_stopping = True
        await self._child.stop(grace_seconds)


def describe_end(child: ChildProcess) -> str:
    """Return how a child ended and the last lines that it wrote to stderr."""
    code = child.returncode or 0
    how = f"was ended by signal {-code}" if code < 0 else f"exited with status {code}"
    tail = child.stderr_tail
    return f"the process {how}: {tail}" if tail else f"the process {how}"
