"""Compressed bodies (`Content-Encoding`, RFC 9110)."""

from __future__ import annotations

import zlib

from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    UnsupportedContentEncodingError,
)

_ALIASES = {"x-gzip": "gzip"}
# zlib copies what follows a gzip member. Members are fed in growing pieces, so that thousands of
# small ones do not each copy all of the rest.
_FIRST_PIECE = 512


def encoding_of(header: str | None) -> str | None:
    """Return `gzip`, `deflate` or None; `UnsupportedContentEncodingError` for anything else."""
    names = [name.strip().lower() for name in (header or "").split(",")]
    packed = [_ALIASES.get(name, name) for name in names if name not in {"", "identity"}]
    if not packed:
        return None
    if packed not in (["gzip"], ["deflate"]):
        raise UnsupportedContentEncodingError(
            f"{', '.join(packed):.60} is not taken; send the body as it is, or as one of gzip and "
            "deflate",
            field="Content-Encoding",
        )
    return packed[0]


def unpacked(body: bytes, header: str | None, max_bytes: int) -> bytes:
    """Decompress a body; never produces more than the limit."""
    encoding = encoding_of(header)
    return _inflated(encoding, body, max_bytes) if encoding and body else body


def _inflated(encoding: str, body: bytes, max_bytes: int) -> bytes:
    whole = bytearray()
    rest = memoryview(body)
    while rest:
        stream, size = zlib.decompressobj(_window(encoding, body)), _FIRST_PIECE
        while rest and not stream.eof:
            piece, size = rest[:size], size * 2
            try:
                whole += stream.decompress(piece, max_bytes + 1 - len(whole))
            except zlib.error:
                raise _broken(encoding) from None
            if len(whole) > max_bytes:
                raise EventTooLargeError(
                    f"an event may have {max_bytes} bytes, unpacked", field="data"
                )
            rest = rest[len(piece) - len(stream.unused_data) :]
        if not stream.eof or (rest and encoding != "gzip"):
            raise _broken(encoding)
    return bytes(whole)


def _window(encoding: str, body: bytes) -> int:
    """Return zlib's name of the format; deflate should have a zlib header, and often has none."""
    if encoding == "gzip":
        return 16 + zlib.MAX_WBITS
    is_zlib = body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


def _broken(encoding: str) -> InvalidEventError:
    return InvalidEventError(f"the body is not whole {encoding}", field="Content-Encoding")
