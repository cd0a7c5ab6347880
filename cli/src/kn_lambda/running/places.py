"""Where `kn-lambda run` keeps what it makes: below the data folder, never in a person's source."""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError
from lambda_embedded.data_folder import DataFolder, DataFolderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_PRIVATE_FOLDER = 0o700
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below one data folder."""

    home: Path

    @property
    def root(self) -> Path:
        """All of them."""
        return DataFolder(self.home).run

    @property
    def caches(self) -> Path:
        """The installers' caches: not the platform's, to which builds of others may write."""
        return self.root / ".cache"

    def of_function(self, source: Path) -> Path:
        """Return the function's own folder: a debugger's settings can name it without asking us."""
        return self.root.joinpath(*source.resolve().parts[1:], ".function")

    def of_runtime(self, name: str) -> Path:
        """Return the folder for what all functions of a runtime share."""
        return self.root / ".runtimes" / name

    def create(self) -> None:
        """Create the folders, readable by their owner alone."""
        try:
            DataFolder(self.home).create()
        except DataFolderError as error:
            raise CommandError(str(error)) from error
        for folder in (self.root, self.caches):
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


@contextmanager
def held_by_one(folder: Path, source: Path) -> Iterator[None]:
    """Keep the folder for this process; `CommandError` if another one runs the same source."""
    descriptor = _open_lock(folder)
    try:
        if not _try_lock(descriptor):
            raise CommandError(
                f"{source} is already running (process {_holder(descriptor)})",
                hint="Stop that one first: both would use the same folder for their packages.",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def held_in_turn(folder: Path) -> AsyncIterator[None]:
    """Wait until no other process prepares the folder, then keep it."""
    descriptor = _open_lock(folder)
    try:
        while not _try_lock(descriptor):  # noqa: ASYNC110  # another process holds it
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _open_lock(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int) -> bool:
    # The kernel lets go of it when the process ends, however it ends.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
