"""Secrets that a test plants, and the search for them in everything that could have them."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from tests.helpers.changing_folders import paths_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SHORTEST = 8
_ARCHIVES_IN_ARCHIVES = 4


@dataclass
class Canaries:
    """Secrets by name; none may be shorter than what could be anywhere by chance."""

    values: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> str:
        """Plant one more, and return it."""
        assert len(value) >= _SHORTEST, f"{name} is too short to be told from other text"
        self.values[name] = value
        return value

    def found_in(self, places: Mapping[str, bytes | str]) -> list[tuple[str, str]]:
        """(place, name of the secret) of all that is there as it is, in base64, or in a URL.

        Archives and compressed files are searched inside as well.
        """
        forms = {name: forms_of(value) for name, value in self.values.items()}
        return [
            (place, name)
            for place, content in places.items()
            for layer in layers_of(content.encode() if isinstance(content, str) else content)
            for name, wanted in forms.items()
            if any(form in layer for form in wanted)
        ]


def forms_of(secret: str) -> set[bytes]:
    """Return how a secret looks as it is, in base64 at any place, in a URL, in JSON, and in hex."""
    raw = secret.encode()
    forms = {raw, raw.hex().encode(), quote(secret, safe="").encode(), quote_plus(secret).encode()}
    forms |= {secret.replace("/", "\\/").encode(), repr(secret)[1:-1].encode()}
    for shift in range(3):
        # The first and the last characters hold bits of what stands around it.
        whole = base64.b64encode(bytes(shift) + raw)
        part = whole[4 if shift else 0 : len(whole) - (4 if (shift + len(raw)) % 3 else 0)]
        forms |= {part, part.translate(bytes.maketrans(b"+/", b"-_"))}
    return forms


def layers_of(content: bytes, depth: int = _ARCHIVES_IN_ARCHIVES) -> Iterator[bytes]:
    """Yield the content, and what is inside where it is compressed or an archive."""
    yield content
    if depth == 0:
        return
    for inner in _inside(content):
        yield from layers_of(inner, depth - 1)


def _inside(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"\x1f\x8b"):
        try:
            yield gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return
    elif content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield archive.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
            return
    elif content[257:262] == b"ustar":
        # Names and links too: they are part of the plain content, which was searched already.
        try:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                files = (archive.extractfile(member) for member in archive if member.isreg())
                yield from (file.read() for file in files if file is not None)
        except (tarfile.TarError, OSError):
            return


def files_below(
    folder: Path, *, but: set[Path] | frozenset[Path] = frozenset()
) -> dict[str, bytes]:
    """Return all files of a folder as places to search, by their paths, which count as well."""
    found: dict[str, bytes] = {}
    for path in paths_below(folder):
        if any(each == path or each in path.parents for each in but):
            continue
        with contextlib.suppress(FileNotFoundError):
            if path.is_symlink():
                found[str(path)] = f"{path.name} -> {path.readlink()}".encode()
            elif path.is_file():
                found[f"{path} itself"] = content = path.read_bytes()
                found[str(path)] = path.name.encode() + b"\n" + content
    return found
