"""Text in the charset that its content type names.

Only charsets that every runtime reads the same, byte for byte: the same function gets the same
data in any language. What is in another charset stays bytes.
"""

from __future__ import annotations

import re

_CHARSET = re.compile(r';\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))', re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_]")
_UTF_8 = "utf-8"
_ISO_8859_PARTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15)
# Greek is left out: the web's decoders read one byte of it otherwise.
_WINDOWS_PAGES = (1250, 1251, 1252, 1254, 1255, 1256, 1257, 1258)
_CODECS = {
    "utf8": _UTF_8,
    "usascii": "ascii",
    "ascii": "ascii",
    "latin1": "iso-8859-1",
    **{f"iso8859{part}": f"iso-8859-{part}" for part in _ISO_8859_PARTS},
    **{f"windows{page}": f"cp{page}" for page in _WINDOWS_PAGES},
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
}


def decoded(content_type: str, body: bytes) -> str | bytes:
    """The text, or the bytes where the charset is unknown or they do not fit it."""
    found = _CHARSET.search(content_type)
    name = (found[1] or found[2] or "") if found else ""
    codec = _CODECS.get(_SEPARATORS.sub("", name.strip().lower())) if name.strip() else _UTF_8
    if codec is None:
        return body
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return body
