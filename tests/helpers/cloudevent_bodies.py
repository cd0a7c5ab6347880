"""Packed bodies, and what every receiver makes of them."""

from __future__ import annotations

import gzip
import zlib

EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/s",
    "ce-type": "t",
    "content-type": "application/json",
}
_BARE = zlib.compressobj(wbits=-15)
_BARE_DEFLATE = _BARE.compress(b"{}") + _BARE.flush()

# Name -> Content-Encoding, body, status of the refusal or None.
PACKED: dict[str, tuple[str, bytes, int | None]] = {
    "gzip": ("gzip", gzip.compress(b"{}"), None),
    "gzip in capitals": ("GZIP", gzip.compress(b"{}"), None),
    "gzip by its old name": ("x-gzip", gzip.compress(b"{}"), None),
    "gzip of many members": ("gzip", gzip.compress(b"") * 20_000 + gzip.compress(b"{}"), None),
    "gzip of two members": ("gzip", gzip.compress(b"{") + gzip.compress(b"}"), None),
    "gzip and more": ("gzip", gzip.compress(b"{}") + b"x", 400),
    "half of a member of gzip": ("gzip", gzip.compress(b"{}") + gzip.compress(b"")[:-1], 400),
    "deflate": ("deflate", zlib.compress(b"{}"), None),
    "bare deflate": ("deflate", _BARE_DEFLATE, None),
    "deflate of two": ("deflate", zlib.compress(b"{}") * 2, 400),
    "as it is": ("identity", b"{}", None),
    "no encoding": ("", b"{}", None),
    "not gzip": ("gzip", b"{}", 400),
    "half of gzip": ("gzip", gzip.compress(b"{}")[:-3], 400),
    "not deflate": ("deflate", b"{}", 400),
    "brotli": ("br", b"{}", 415),
    "zstandard": ("zstd", b"{}", 415),
    "one in another by its old name": ("x-gzip, gzip", b"{}", 415),
    "one in another": ("gzip, gzip", gzip.compress(gzip.compress(b"{}")), 415),
    "nobody's": ("rot13", b"{}", 415),
}


def bomb(limit: int) -> bytes:
    """Little that becomes more than a limit."""
    return gzip.compress(b"[" + b" " * limit + b"]")
