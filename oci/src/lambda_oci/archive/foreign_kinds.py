"""Names for what is sent in place of an archive, by its first bytes."""

from __future__ import annotations

_KINDS = (
    (b"\xfd7zXZ\0", "a .xz file"),
    (b"BZh", "a .bz2 file"),
    (b"\x28\xb5\x2f\xfd", "a .zst file"),
    (b"\x04\x22\x4d\x18", "a .lz4 file"),
    (b"LZIP", "a .lz file"),
    (b"\x1f\x9d", "a .Z file"),
    (b"7z\xbc\xaf\x27\x1c", "a .7z archive"),
    (b"Rar!\x1a\x07", "a .rar archive"),
)
_PAGE = "a web page or XML, perhaps the error of a server in place of the file"


def name_of(start: bytes) -> str:
    """What a file is that starts with these bytes, as a message may say it."""
    if not start:
        return "an empty file"
    for magic, name in _KINDS:
        if start.startswith(magic):
            return name
    return _PAGE if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else "no archive"
