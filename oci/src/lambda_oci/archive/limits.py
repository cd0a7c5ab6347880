"""How much one archive may hold, and why one is rejected."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_oci.errors import ContentError


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one unpacked archive."""

    max_bytes: int
    max_entries: int
    max_path_bytes: int = 1024
    max_depth: int = 32
    # Text rarely shrinks to less than a fiftieth; small archives of blank files may.
    max_ratio: int = 200
    ratio_from_bytes: int = 16 * 1024 * 1024


def too_large(message: str) -> ContentError:
    """The error for an archive that is over a limit."""
    return ContentError("SourceTooLarge", message)


def unsafe(message: str) -> ContentError:
    """The error for members that could leave the folder or hide another member."""
    return ContentError("UnsafeArchive", message)


def invalid(message: str) -> ContentError:
    """The error for bytes that are no complete archive of a supported kind."""
    return ContentError("InvalidArchive", message)


def too_many(limits: Limits) -> ContentError:
    """The error for an archive with too many members."""
    return too_large(f"the source has more than {limits.max_entries} files and folders")
