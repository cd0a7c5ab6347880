"""One SQLite file for all durable state of the embedded platform."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PRIVATE_FILE = 0o600


class Database:
    """A connection that survives `kill -9`: each transaction is written whole or not at all.

    Only the thread of the event loop uses it. Each part of the platform owns the tables that it
    creates. Nobody but their owner can read the files.
    """

    def __init__(self, path: Path) -> None:
        _make_private(path)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The Broker responds 202 only for events that survive a power failure.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []

    def create(self, statements: str) -> None:
        """Create tables and indexes (`CREATE ... IF NOT EXISTS`)."""
        self._connection.executescript(statements)

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Run one statement; outside `transaction` it is durable when this returns."""
        return self._connection.execute(statement, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements within are durable together, or not at all; nests into the outermost."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self._connection.execute("COMMIT")
        except BaseException:
            if self._depth == 1:
                self._after_commit.clear()
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._run_after_commit()

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call once the current transaction is durable: now if there is none, never if it fails."""
        self._after_commit.append(call)
        if self._depth == 0:
            self._run_after_commit()

    def _run_after_commit(self) -> None:
        calls, self._after_commit = self._after_commit, []
        for call in calls:
            call()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._connection.close()


def _make_private(path: Path) -> None:
    """Restrict the file to its owner; SQLite creates its other files with the same mode."""
    path.touch(mode=_PRIVATE_FILE)
    for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            file.chmod(_PRIVATE_FILE)
