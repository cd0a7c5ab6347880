"""What a source asks to have installed: some files of it, and never the code beside them."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from knative_lambda.domain.hosted_source import SourceFile
from knative_lambda.use_cases.build_context import sha256_of, write_archive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from knative_lambda.domain.language import Language
    from knative_lambda.ports import SourceArchives

# A file that includes a file that includes a file ...; the rest is for the installer to miss.
_MOST_ROUNDS = 10
_MOST_FILES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class PackagesRequest:
    """The files that the recipe of a language reads; None of them stands for the whole source."""

    files: dict[str, bytes] | None
    sha256: str

    def write(self, source: BinaryIO, target: BinaryIO) -> str:
        """Write the archive that a build Job gets to `target` and return its SHA-256."""
        if self.files is None:
            source.seek(0)
            while chunk := source.read(1024 * 1024):
                target.write(chunk)
        else:
            write_archive((SourceFile(*file) for file in sorted(self.files.items())), target)
        target.seek(0)
        return sha256_of(target)


def read_request(
    archives: SourceArchives, language: Language, source: BinaryIO, source_sha256: str
) -> PackagesRequest | None:
    """Return what this source asks for; None where no file of it asks for anything.

    An archive that cannot be read raises `InvalidContentError`.
    """
    files = archives.read(source, language.is_request)
    if not language.requests:
        return PackagesRequest(files=None, sha256=source_sha256)
    if not any(language.asks(name, _text(content)) for name, content in files.items()):
        return None
    found = dict(files)
    for _ in range(_MOST_ROUNDS):
        wanted = set(_included(language, files)) - found.keys()
        if not wanted or len(found) + len(wanted) > _MOST_FILES:
            break
        files = archives.read(source, wanted.__contains__)
        found |= files
    return PackagesRequest(files=found, sha256=_sha256(found))


def _included(language: Language, files: dict[str, bytes]) -> Iterable[str]:
    """Yield what files of the request name: relative to themselves, and inside the source."""
    for name, content in files.items():
        for path in language.included(_text(content)):
            inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if not inside.startswith(("/", "../")):
                yield inside


def _text(content: bytes) -> str:
    # Editors of Windows write such files, and installers read them.
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _sha256(files: dict[str, bytes]) -> str:
    """Identify names and contents: how they are packed may change with a version of Python."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()
