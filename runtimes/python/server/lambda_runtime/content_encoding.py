"""Bodies that come packed (`Content-Encoding`, RFC 9110)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_runtime.body import read_body, too_large
from lambda_runtime.errors import RejectedRequestError

if TYPE_CHECKING:
    from lambda_runtime.responses import Headers, Receive, Scope

_FIELD = "Content-Encoding"
_ALIASES = {"x-gzip": "gzip"}
# What comes after a member of gzip is copied to look for the next one, so members are fed little
# at first: thousands of small ones must not each copy all of the rest.
_FIRST_PIECE = 512
_OF_THE_PACKED = (b"content-encoding", b"content-length", b"transfer-encoding")


async def read_as_it_came(scope: Scope, receive: Receive, max_bytes: int) -> tuple[Scope, bytes]:
    """The request, and its body still packed."""
    return scope, await read_body(scope, receive, max_bytes)


async def read_unpacked(scope: Scope, receive: Receive, max_bytes: int) -> tuple[Scope, bytes]:
    """The request as if its body had never been packed."""
    packed = await read_body(scope, receive, max_bytes)
    body = unpacked(scope["headers"], packed, max_bytes)
    if body is packed:
        return scope, body
    headers = [field for field in scope["headers"] if field[0] not in _OF_THE_PACKED]
    headers.append((b"content-length", b"%d" % len(body)))
    return {**scope, "headers": headers}, body


def unpacked(headers: Headers, body: bytes, max_bytes: int) -> bytes:
    """The body as it was before it was packed; never makes more than `max_bytes` of it."""
    encoding = _encoding(headers)
    return _inflated(encoding, body, max_bytes) if encoding and body else body


def _encoding(headers: Headers) -> str | None:
    values = [value.decode("latin-1") for name, value in headers if name == b"content-encoding"]
    if not values:
        return None
    names = [name.strip().lower() for name in ",".join(values).split(",")]
    packed = [_ALIASES.get(name, name) for name in names if name not in ("", "identity")]
    if packed not in ([], ["gzip"], ["deflate"]):
        message = (
            f"{', '.join(packed):.60} is not understood; send the body as it is, or as one of "
            "gzip and deflate"
        )
        raise RejectedRequestError(415, "UnsupportedContentEncoding", message, _FIELD)
    return packed[0] if packed else None


def _inflated(encoding: str, body: bytes, max_bytes: int) -> bytes:
    import zlib  # noqa: PLC0415 - only where bodies come packed

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
                raise too_large(max_bytes)
            rest = rest[len(piece) - len(stream.unused_data) :]
        if not stream.eof or (rest and encoding != "gzip"):
            raise _broken(encoding)
    return bytes(whole)


def _window(encoding: str, body: bytes) -> int:
    """What zlib calls the format; deflate should have its header, and often has none."""
    if encoding == "gzip":
        return 31
    return 15 if body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0 else -15  # noqa: PLR2004 - RFC 1950


def _broken(encoding: str) -> RejectedRequestError:
    return RejectedRequestError(400, "InvalidBody", f"the body is not whole {encoding}", _FIELD)
