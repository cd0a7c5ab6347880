"""A source in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """`SourceFiles` of a folder. Links are followed: an unpacked source has none."""

    root: Path

    def has(self, path: str) -> bool:
        """Whether this is a file."""
        return (self.root / path).is_file()

    def read(self, path: str, *, max_bytes: int) -> bytes | None:
        """Return the start of a file; None for anything else."""
        file = self.root / path
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return stream.read(max_bytes)
