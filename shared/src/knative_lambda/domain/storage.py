"""What is known about an object in storage without reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# An object of such a name is a source of one file; any other is treated as an archive. The
# languages of an installation decide which these are, so it is a setting.
SourceSuffixes = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """How somebody without credentials writes one object."""

    url: str
    fields: dict[str, str] | None = None
    """Of the form to POST, before its field `file`; None where the object is sent by PUT."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedPut:
    """A PUT that storage takes from anybody, of exactly the content that it was signed for."""

    url: str
    headers: dict[str, str]
    """To be sent with it; they are signed too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """One object in storage."""

    uri: str
    size_bytes: int
    modified_at: datetime
