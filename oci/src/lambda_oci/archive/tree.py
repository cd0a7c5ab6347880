"""The files and folders of an archive, member by member, under limits."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Protocol

from lambda_oci.archive.limits import invalid, too_large, too_many, unsafe
from lambda_oci.archive.names import shown
from lambda_oci.whiteouts import IS_WHITEOUT, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_oci.archive.limits import Limits

_NAME_BYTES = 255
_DRIVE = re.compile(r"[A-Za-z]:")


class Place(Protocol):
    """Where members go. Each folder comes before what is in it, and every name once."""

    def add_folder(self, parts: tuple[str, ...]) -> None:
        """Take a folder."""
        ...

    def add_file(
        self, parts: tuple[str, ...], content: Iterable[bytes], *, executable: bool
    ) -> None:
        """Take a file; what is left of its content is read, and counted, by the tree."""
        ...


class SourceTree:
    """Passes regular files and folders on to one place, and nothing else.

    Every component of a path comes from this class and is never a link, so none can leave the
    place.
    """

    def __init__(self, place: Place, limits: Limits, *, archive_bytes: int) -> None:
        self._place = place
        self._limits = limits
        self._archive_bytes = archive_bytes
        self._kinds: dict[tuple[str, ...], bool] = {}
        self.files = 0
        self.bytes = 0

    def add_folder(self, name: str) -> None:
        """Add a folder and its parents; one that is there is fine."""
        parts = self._parts(name)
        for depth in range(1, len(parts) + 1):
            self._add_folder(parts[:depth])

    def add_file(self, name: str, chunks: Iterable[bytes], *, executable: bool) -> None:
        """Add one file; a second file of the same name is an error."""
        if not (parts := self._parts(name)):
            raise unsafe(f"the file name {shown(name)} is empty")
        for depth in range(1, len(parts)):
            self._add_folder(parts[:depth])
        if _key(parts) in self._kinds:
            raise unsafe(f"{shown(name)} is in the archive twice")
        self._enter(parts, is_folder=False)
        self.files += 1
        content = self._counted(chunks)
        self._place.add_file(parts, content, executable=executable)
        # An archive that is read in part is checked as a whole.
        for _ in content:
            pass

    def reserve(self, size: int) -> None:
        """Reject a member whose stated size is larger than what is left."""
        self._check(self.bytes + size)

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes += len(chunk)
            self._check(self.bytes)
            yield chunk

    def _check(self, total: int) -> None:
        limits = self._limits
        if total > limits.max_bytes:
            raise too_large(f"the source is larger than {limits.max_bytes} bytes unpacked")
        if total > max(limits.ratio_from_bytes, self._archive_bytes * limits.max_ratio):
            raise too_large(f"the archive unpacks to more than {limits.max_ratio} times its size")

    def _add_folder(self, parts: tuple[str, ...]) -> None:
        is_folder = self._kinds.get(_key(parts))
        if is_folder is None:
            self._enter(parts, is_folder=True)
            self._place.add_folder(parts)
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


def _key(parts: tuple[str, ...]) -> tuple[str, ...]:
    # Two spellings of one accented name look the same to a person and are one file on some systems.
    return tuple(unicodedata.normalize("NFC", part) for part in parts)
