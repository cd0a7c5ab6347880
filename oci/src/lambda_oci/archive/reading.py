"""Reads a few files of an archive without unpacking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_oci.archive.limits import too_large
from lambda_oci.archive.names import shown
from lambda_oci.archive.scanning import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from lambda_oci.archive.limits import Limits

_MAX_READ_BYTES = 16 * 1024 * 1024


def read_files(
    archive: BinaryIO,
    wanted: Callable[[str], bool],
    limits: Limits,
    *,
    max_read_bytes: int = _MAX_READ_BYTES,
) -> dict[str, bytes]:
    """Return the files whose paths are `wanted`, by path (`a/b.txt`), in the archive's order.

    `archive` is seekable. All of it is checked as `unpack` does, with the same errors, so an
    archive that can be read can be unpacked. Nothing is written to disk; the files returned
    may have `max_read_bytes` together (`SourceTooLarge`).
    """
    files = _WantedFiles(wanted, max_read_bytes)
    scan(archive, files, limits)
    return files.content


class _WantedFiles:
    """Keeps the content of some files."""

    def __init__(self, wanted: Callable[[str], bool], max_bytes: int) -> None:
        self._wanted = wanted
        self._max_bytes = self._left = max_bytes
        self.content: dict[str, bytes] = {}

    def add_folder(self, parts: tuple[str, ...]) -> None:
        """Folders have no content."""

    def add_file(
        self, parts: tuple[str, ...], content: Iterable[bytes], *, executable: bool
    ) -> None:
        del executable
        if not self._wanted(path := "/".join(parts)):
            return
        chunks = []
        for chunk in content:
            self._left -= len(chunk)
            if self._left < 0:
                raise too_large(
                    f"{shown(path)} and what else asks for packages is over {self._max_bytes} bytes"
                )
            chunks.append(chunk)
        self.content[path] = b"".join(chunks)
