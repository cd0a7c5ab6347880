"""Bodies that come packed (`Content-Encoding`, RFC 9110)."""

from __future__ import annotations

import zlib

from knative_lambda.domain.errors import (
    EventTooLargeError,
    InvalidEventError,
    UnsupportedContentEncodingError,
)

_GZIP, _ZLIB, _DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def encoding_of(header: str | None) -> str | None:
    """Return `gzip`, `deflate` or None; `UnsupportedContentEncodingError` for anything else."""
    names = [name.strip().lower() for name in (header or "").split(",")]
    packed = [name for name in names if name not in {"", "identity"}]
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
    """Return a body as it was before it was packed; never makes more than the limit of it."""
    encoding = encoding_of(header)
    if encoding is None or not body:
        return body
    window = _GZIP
    if encoding == "deflate":
        # Zlib's format by the standard, bare by custom.
        is_zlib = body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
        window = _ZLIB if is_zlib else _DEFLATE
    stream = zlib.decompressobj(window)
    try:
        whole = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        whole = b""
    if len(whole) > max_bytes:
        raise EventTooLargeError(f"an event may have {max_bytes} bytes, unpacked", field="data")
    if not stream.eof or stream.unused_data:
        raise InvalidEventError(f"the body is not {encoding}", field="Content-Encoding")
    return whole
