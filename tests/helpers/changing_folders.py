"""What is in a folder that others change meanwhile.

`Path.rglob` and `Path.glob` fail when a folder goes while they are in it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def paths_below(folder: Path) -> Iterator[Path]:
    """Everything at any depth, links as well, which are not followed."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)


def regular_files(folder: Path) -> list[Path]:
    """Files at any depth, without links to files."""
    return [path for path in paths_below(folder) if path.is_file() and not path.is_symlink()]


def contents_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Regular files with what is in them, without those that go before they are read."""
    return contents_of(regular_files(folder))


def contents_of(files: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """As `contents_below`, also of files of processes that end."""
    for path in files:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield path, path.read_bytes()
