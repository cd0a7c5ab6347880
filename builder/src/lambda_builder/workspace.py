"""The folder of one build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The layout of `BUILD_WORKSPACE`."""

    root: Path

    @property
    def source(self) -> Path:
        """What the user sent, unpacked."""
        return self.root / "source"

    @property
    def lock(self) -> Path:
        """Exact versions of what the recipe installed; absent when nothing was."""
        return self.root / "lock.txt"

    @property
    def context(self) -> Path:
        """The archive while it is being unpacked."""
        return self.root / ".context"

    @property
    def result(self) -> Path:
        """What is uploaded."""
        return self.root / ".result"

    @property
    def scratch(self) -> Path:
        """Homes and temporary files of the steps; removed when they have ended."""
        return self.root / ".scratch"
