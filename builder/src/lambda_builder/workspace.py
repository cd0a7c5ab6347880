"""The folder that the steps of one build share."""

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
    def scratch(self) -> Path:
        """Home and temporary files of a step; removed when the step ends."""
        return self.root / ".scratch"
