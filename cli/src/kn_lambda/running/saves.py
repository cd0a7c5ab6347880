"""Notices that something below a folder was saved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# A save is noticed after one step without another one; many files at once count as one save.
_STEP_MILLISECONDS, _LONGEST_MILLISECONDS = 25, 500


async def saves(folder: Path, stopping: asyncio.Event, *, recursive: bool) -> AsyncIterator[None]:
    """Yield after each change in a folder, until `stopping`; `CommandError` if the folder goes.

    Changes that cannot matter are among them: compare the content.
    """
    from watchfiles import awatch  # noqa: PLC0415 # only for those who watch

    try:
        changes = awatch(
            folder,
            step=_STEP_MILLISECONDS,
            debounce=_LONGEST_MILLISECONDS,
            recursive=recursive,
            stop_event=stopping,
            ignore_permission_denied=True,
        )
        async for _ in changes:
            if not await asyncio.to_thread(folder.is_dir):
                raise CommandError(f"{folder} is gone", hint="Start again when it is back.")
            yield
    except OSError as error:
        raise CommandError(
            f"changes of {folder} cannot be watched: {error}",
            hint="Run it with --no-reload, or set WATCHFILES_FORCE_POLLING=1.",
        ) from error
