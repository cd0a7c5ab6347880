"""What is known of an object without reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """One object in storage."""

    uri: str
    size_bytes: int
    modified_at: datetime
