"""Notices that something of a source was saved."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.deploying.source_rules import IGNORE_FILE, SourceRules
from kn_lambda.errors import CommandError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

# A save is noticed after one step without another one; many files at once count as one save.
_STEP_MILLISECONDS, _LONGEST_MILLISECONDS = 25, 500


class FolderFilter:
    """Whether a path of a folder can matter to a function: others change all the time."""

    def __init__(
        self, folder: Path, include: Sequence[str] = (), also: Sequence[Path] = ()
    ) -> None:
        self._folder, self._include = folder, include
        self._also = {str(path.resolve()) for path in also}
        self._rules: SourceRules | None = None

    def __call__(self, path: str) -> bool:
        """Return whether it describes the function, would be deployed, or is one of `also`."""
        own = os.path.relpath(path, self._folder)
        if own == IGNORE_FILE:
            self._rules = None
        if own in {FILE_NAME, IGNORE_FILE} or path in self._also:
            return True
        try:
            self._rules = self._rules or SourceRules(self._folder, self._include)
        except (OSError, WrongUsageError):
            # Reading the source says what is wrong with them.
            return True
        return not self._rules.ignores(own) and not self._rules.hold_credentials(own)


async def saves(
    source: Path,
    stopping: asyncio.Event,
    *,
    include: Sequence[str] = (),
    also: Sequence[Path] = (),
) -> AsyncIterator[None]:
    """Yield after each save of what would be deployed, until `stopping`.

    The content may be as before. `CommandError` if the folder is removed, or cannot be watched.
    """
    from watchfiles import awatch  # noqa: PLC0415 # only for those who watch

    is_folder = await asyncio.to_thread(source.is_dir)
    folder = source if is_folder else source.parent
    matters = FolderFilter(folder, include, also) if is_folder else str(source).__eq__
    changes = awatch(
        folder,
        watch_filter=lambda _, path: matters(path),
        step=_STEP_MILLISECONDS,
        debounce=_LONGEST_MILLISECONDS,
        recursive=is_folder,
        stop_event=stopping,
        ignore_permission_denied=True,
    )
    try:
        async for _ in changes:
            if not await asyncio.to_thread(folder.is_dir):
                raise CommandError(f"{folder} is gone", hint="Start again when it is back.")
            yield
    except OSError as error:
        raise CommandError(
            f"changes of {folder} cannot be watched: {error}",
            hint="Run it with --no-reload, or set WATCHFILES_FORCE_POLLING=1.",
        ) from error
