"""How many requests are worked on at once, and how many may wait for that."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import ThrottledError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Room:
    """`ThrottledError` at once where as many wait already as may."""

    def __init__(self, *, working: int, waiting: int) -> None:
        self._slots = asyncio.Semaphore(working)
        self._most = working + waiting
        self._inside = 0

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Wait for a place, and give it back."""
        if self._inside >= self._most:
            raise ThrottledError(
                "too many requests at once; try again", retry_after=timedelta(seconds=1)
            )
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1
