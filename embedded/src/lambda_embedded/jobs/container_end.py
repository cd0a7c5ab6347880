"""How a container ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """As in a container status."""

    exit_code: int
    reason: str
    message: str
