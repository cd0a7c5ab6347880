"""A gzip file as a stream that never holds more than one chunk of what it unpacks to."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lambda_oci.archive.limits import invalid

if TYPE_CHECKING:
    from typing import BinaryIO

_CHUNK = 64 * 1024
# Every part costs a copy of what is read ahead; real archives have one.
_MAX_MEMBERS = 1024
_GZIP = 16 + zlib.MAX_WBITS


class GzipStream:
    """Reads one or more gzip members; zeros after the last are padding."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflater = zlib.decompressobj(_GZIP)
        self._pending = b""
        self._members = 1
        self._finished = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        while not self._finished:
            self._pending = self._pending or self._stream.read(_CHUNK)
            exhausted = not self._pending
            try:
                part = self._inflater.decompress(self._pending, size)
            except zlib.error:
                raise invalid("the .tar.gz is damaged: it cannot be decompressed") from None
            self._pending = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._start_next_member()
            elif exhausted and not part:
                raise invalid("the .tar.gz is cut off before its end")
            if part:
                return part
        return b""

    def _start_next_member(self) -> None:
        self._pending = self._inflater.unused_data.lstrip(b"\0")
        while not self._pending and (chunk := self._stream.read(_CHUNK)):
            self._pending = chunk.lstrip(b"\0")
        self._finished = not self._pending
        self._inflater = zlib.decompressobj(_GZIP)
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise invalid(f"the .tar.gz is made of more than {_MAX_MEMBERS} parts")
