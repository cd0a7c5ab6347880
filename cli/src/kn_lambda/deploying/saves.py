"""Notices that files of a source were saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, MissingError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from watchfiles import Change

    Stamps = list[tuple[int, int] | None]

# Editors write, rename and delete files to save one: what follows within a step belongs together.
_STEP_MILLISECONDS = 50
_LONGEST_MILLISECONDS = 1600
_IDLE_SECONDS = 1.0
_LIMITS_HINT = (
    "Raise the limits fs.inotify.max_user_watches and fs.inotify.max_user_instances,"
    " or let WATCHFILES_FORCE_POLLING=true read the folder again and again."
)


class SourceGoneError(MissingError):
    """There is nothing left to watch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """What to look at: what `matters` below `path`, and the files `beside`, wherever they are.

    `sees_earlier`: whether the first look stands for saves from before anybody watched.
    """

    path: Path
    beside: Sequence[Path] = ()
    matters: Callable[[str], bool] = lambda _path: True
    sees_earlier: bool = True
    idle_seconds: float = _IDLE_SECONDS
    stopping: threading.Event | None = None

    @property
    def folder(self) -> Path:
        """The folder to watch, which is that of a single file."""
        return self.path if self.path.is_dir() else self.path.parent

    def stamps(self) -> Stamps:
        """Return what shows that a file beside was written or replaced."""
        return [_stamp(file) for file in self.beside]


def saves(watch: Watch) -> Iterator[bool]:
    """Yield True after each save that matters, False every `idle_seconds` in between.

    The content may be as before. `stopping` ends it soon, from another thread too.
    `SourceGoneError` once the path is gone.
    """
    seen = None if watch.sees_earlier else watch.stamps()
    while watch.stopping is None or not watch.stopping.is_set():
        try:
            yield from _until_replaced(watch, watch.folder, seen)
        except FileNotFoundError as error:
            raise _gone(watch.path) from error
        except (OSError, RuntimeError) as error:  # watchfiles' own error of a limit
            if not _is_strange_name(error):
                raise CommandError(
                    f"cannot watch {watch.folder}: {error}", hint=_LIMITS_HINT
                ) from error
            yield watch.path.exists()
        seen = None


def _until_replaced(watch: Watch, folder: Path, seen: Stamps | None) -> Iterator[bool]:
    """Yield as `saves`, until there is another folder of that name, which nobody watches yet."""
    identity = _identity(folder)
    for changes in _changes(watch, folder):
        # Some editors, and git, remove a file or a folder for a moment: look when all is quiet.
        if not changes and not watch.path.exists():
            raise _gone(watch.path)
        if not changes and _identity(folder) != identity:
            return
        now, relevant = watch.stamps(), [path for _, path in changes if watch.matters(path)]
        yield (bool(relevant) or now != seen) and watch.path.exists()
        seen = now


def _changes(watch: Watch, folder: Path) -> Iterator[set[tuple[Change, str]]]:
    import watchfiles  # noqa: PLC0415 # only for those who watch

    return watchfiles.watch(
        folder,
        watch_filter=None,
        step=_STEP_MILLISECONDS,
        debounce=_LONGEST_MILLISECONDS,
        rust_timeout=round(watch.idle_seconds * 1000),
        yield_on_timeout=True,
        recursive=watch.path.is_dir(),
        ignore_permission_denied=True,
        stop_event=watch.stopping,
    )


def _is_strange_name(error: Exception) -> bool:
    """Whether watchfiles gave up at a name that is not UTF-8: reading tells if it matters."""
    return str(error).startswith("Unable to decode path")


def _gone(path: Path) -> SourceGoneError:
    return SourceGoneError(
        f"{path} is gone, so there is nothing to watch", hint="Start again when it is back."
    )


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino
