"""Copying of streams up to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from knative_lambda.domain.errors import LimitExceededError

from .uri import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

CHUNK_BYTES: Final = 256 * 1024


def copy_limited(chunks: Iterable[bytes], target: BinaryIO, *, max_bytes: int, uri: str) -> int:
    """Write the chunks to `target` and return their size; at most `max_bytes` are written."""
    written = 0
    for chunk in chunks:
        require_size(written + len(chunk), max_bytes=max_bytes, uri=uri)
        target.write(chunk)
        written += len(chunk)
    return written


def require_size(size_bytes: int, *, max_bytes: int, uri: str) -> None:
    """Reject an object that is known to be larger than allowed."""
    if size_bytes > max_bytes:
        raise LimitExceededError(f"{shown(uri)} is larger than the limit of {max_bytes} bytes")
