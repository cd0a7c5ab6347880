"""Notices that files of a source were saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Editors write, rename and delete files to save one: what follows within a step belongs together.
_STEP_MILLISECONDS = 50
_LONGEST_MILLISECONDS = 1600
_IDLE_SECONDS = 1.0


class SourceGoneError(MissingError):
    """There is nothing left to watch."""


def saves(
    path: Path, beside: Sequence[Path] = (), *, idle_seconds: float = _IDLE_SECONDS
) -> Iterator[bool]:
    """Yield True after something changed below `path`, False every `idle_seconds` in between.

    `beside` are more files to look at, outside of `path`. Whether a change matters is for the
    caller to find out; the first is for those from before anybody watched. `SourceGoneError`
    once `path` is gone.
    """
    while True:
        yield from _until_replaced(path, beside, idle_seconds)


def _until_replaced(path: Path, beside: Sequence[Path], idle_seconds: float) -> Iterator[bool]:
    """Yield as `saves`, until there is another folder of that name, which nobody watches yet."""
    from watchfiles import watch  # noqa: PLC0415 # only with --watch

    folder = path if path.is_dir() else path.parent
    try:
        identity, seen = _identity(folder), None
        for changes in watch(
            folder,
            watch_filter=None,
            step=_STEP_MILLISECONDS,
            debounce=_LONGEST_MILLISECONDS,
            rust_timeout=round(idle_seconds * 1000),
            yield_on_timeout=True,
            recursive=path.is_dir(),
            ignore_permission_denied=True,
        ):
            # Some editors, and git, remove a file or a folder for a moment: look when all is quiet.
            if not changes and not path.exists():
                raise _gone(path)
            if not changes and _identity(folder) != identity:
                return
            now = _stamps(beside)
            yield path.exists() and (bool(changes) or now != seen)
            seen = now
    except FileNotFoundError as error:
        raise _gone(path) from error
    except (OSError, RuntimeError) as error:  # its own error of a limit is a RuntimeError
        raise CommandError(
            f"cannot watch {folder}: {error}",
            hint="Raise the limits fs.inotify.max_user_watches and fs.inotify.max_user_instances,"
            " or let WATCHFILES_FORCE_POLLING=true read the folder again and again.",
        ) from error


def _gone(path: Path) -> SourceGoneError:
    return SourceGoneError(
        f"{path} is gone, so there is nothing to watch",
        hint="The function still serves what was deployed last. To remove it: kn-lambda delete.",
    )


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _stamps(files: Sequence[Path]) -> list[tuple[int, int] | None]:
    return [_stamp(file) for file in files]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino
