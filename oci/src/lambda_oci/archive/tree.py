"""The folder an archive is written to, member by member, under limits."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING

from lambda_oci.archive.limits import invalid, too_large, unsafe
from lambda_oci.whiteouts import IS_WHITEOUT, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_oci.archive.limits import Limits

_NAME_BYTES = 255
_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 120


def shown(name: str | bytes) -> str:
    """A member's name as a message may show it: printable, quoted and short."""
    text = ascii(name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...'"


def decode_name(raw: bytes) -> str:
    """A member's name, which has to be UTF-8 whatever the archive claims."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise unsafe(f"the name {shown(raw)} is not UTF-8; rename the file") from None


class SourceTree:
    """Creates regular files and folders below one root and nothing else.

    Every component is made by this class and never a link, so no path can leave the root.
    """

    def __init__(self, root: Path, limits: Limits, *, archive_bytes: int) -> None:
        self._root = root
        self._limits = limits
        self._archive_bytes = archive_bytes
        self._kinds: dict[tuple[str, ...], bool] = {}
        self.files = 0
        self.bytes = 0

    def add_folder(self, name: str) -> None:
        """Make a folder and its parents; an existing folder is fine."""
        parts = self._parts(name)
        for depth in range(1, len(parts) + 1):
            self._make_folder(parts[:depth])

    def add_file(self, name: str, chunks: Iterable[bytes], *, executable: bool) -> None:
        """Write one file; a second file of the same name is an error."""
        if not (parts := self._parts(name)):
            raise unsafe(f"the file name {shown(name)} is empty")
        for depth in range(1, len(parts)):
            self._make_folder(parts[:depth])
        if _key(parts) in self._kinds:
            raise unsafe(f"{shown(name)} is in the archive twice")
        self._enter(parts, is_folder=False)
        self.files += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        path = self._root.joinpath(*parts)
        descriptor = os.open(path, flags, 0o755 if executable else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                self._count(len(chunk))
                file.write(chunk)

    def reserve(self, size: int) -> None:
        """Reject a member whose stated size is larger than what is left."""
        self._check(self.bytes + size)

    def _count(self, size: int) -> None:
        self.bytes += size
        self._check(self.bytes)

    def _check(self, total: int) -> None:
        limits = self._limits
        if total > limits.max_bytes:
            raise too_large(f"the source is larger than {limits.max_bytes} bytes unpacked")
        if total > max(limits.ratio_from_bytes, self._archive_bytes * limits.max_ratio):
            raise too_large(f"the archive unpacks to more than {limits.max_ratio} times its size")

    def _make_folder(self, parts: tuple[str, ...]) -> None:
        is_folder = self._kinds.get(_key(parts))
        if is_folder is None:
            self._enter(parts, is_folder=True)
            self._root.joinpath(*parts).mkdir(mode=0o755)
        elif not is_folder:
            raise unsafe(f"{shown('/'.join(parts))} is both a file and a folder")

    def _enter(self, parts: tuple[str, ...], *, is_folder: bool) -> None:
        if len(self._kinds) >= self._limits.max_entries:
            raise too_many(self._limits)
        self._kinds[_key(parts)] = is_folder

    def _parts(self, name: str) -> tuple[str, ...]:
        """Components of a member's name, if it is safe."""
        if len(name.encode()) > self._limits.max_path_bytes:
            raise too_large(f"the path {shown(name)} is over {self._limits.max_path_bytes} bytes")
        if name.startswith("/") or _DRIVE.match(name):
            raise unsafe(f"the path {shown(name)} is absolute")
        if "\\" in name:
            raise unsafe(f"the path {shown(name)} has a backslash; folders are parted by '/'")
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
            raise unsafe(f"the path {shown(name)} has control characters")
        parts = tuple(part for part in name.split("/") if part not in {"", "."})
        if ".." in parts:
            raise unsafe(f"the path {shown(name)} leaves the archive's folder")
        if any(part.startswith(WHITEOUT) for part in parts):
            raise unsafe(f"the path {shown(name)} {IS_WHITEOUT}")
        if len(parts) > self._limits.max_depth:
            raise too_large(f"the path {shown(name)} is over {self._limits.max_depth} levels deep")
        if any(len(part.encode()) > _NAME_BYTES for part in parts):
            raise invalid(f"a name in {shown(name)} is over {_NAME_BYTES} bytes")
        return parts


def too_many(limits: Limits) -> Exception:
    """The error for an archive with too many members."""
    return too_large(f"the source has more than {limits.max_entries} files and folders")


def _key(parts: tuple[str, ...]) -> tuple[str, ...]:
    # Two spellings of one accented name look the same to a person and are one file on some systems.
    return tuple(unicodedata.normalize("NFC", part) for part in parts)
