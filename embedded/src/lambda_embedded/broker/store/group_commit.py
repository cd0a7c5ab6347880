"""One `fsync` for everything that happens in the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.store.database import Database

T = TypeVar("T")


class GroupCommit:
    """Runs pieces of work in shared transactions; each is durable, whole, when `run` returns.

    A piece that fails takes no other with it. A piece whose caller is cancelled is done all the
    same, so that what became known about a delivery is never forgotten.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pieces: list[_Piece] = []

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work`, which only reads and writes the database, and return its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._pieces:
            loop.call_soon(self._flush)
        self._pieces.append(_Piece(work, future))
        return await future

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if not self._commit(pieces):
            for piece in pieces:
                self._commit([piece])

    def _commit(self, pieces: list[_Piece]) -> bool:
        try:
            with self._database.transaction():
                results = [piece.work() for piece in pieces]
        except Exception as error:  # noqa: BLE001  # handed to the caller of `run`
            if len(pieces) > 1:
                return False
            if not pieces[0].future.done():
                pieces[0].future.set_exception(error)
            return True
        for piece, result in zip(pieces, results, strict=True):
            if not piece.future.done():
                piece.future.set_result(result)
        return True


@dataclass(frozen=True, slots=True)
class _Piece:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
