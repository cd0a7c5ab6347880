"""The two lanes that a source can take to its image, as tests go through both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.helpers.gated_wheel import GatedWheel


@dataclass(frozen=True)
class Lane:
    """What a source has in addition, and how many Jobs and tags of packages each build makes."""

    name: str
    files: Mapping[str, str]
    jobs: int

    def __str__(self) -> str:
        return self.name


def lane_of(name: str, gate: GatedWheel) -> Lane:
    """`code` or `packages`; the gate stands open."""
    if name == "code":
        return Lane(name, {}, jobs=0)
    gate.open()
    return Lane(name, {"requirements.txt": gate.requirement}, jobs=1)
