"""Packs a source: as text inside the event, or as one archive for storage."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.deploying.source_files import SourceFile

INLINE_LIMIT_BYTES = 256 * 1024
_INLINE_LIMIT_FILES = 1000
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest time of the format
_FILE_MODE = 0o100644
_EXECUTABLE_MODE = 0o100755


def inline_source(files: Sequence[SourceFile]) -> dict[str, str] | None:
    """Return path to text if the source is text and fits into an event, else None."""
    if len(files) > _INLINE_LIMIT_FILES or any(file.is_executable for file in files):
        return None
    if sum(len(file.content) for file in files) > INLINE_LIMIT_BYTES:
        return None
    try:
        texts = {file.path: file.content.decode() for file in files}
    except UnicodeDecodeError:
        return None
    # A control character takes six bytes in JSON; the event has a limit of its own.
    size = len(json.dumps(texts, ensure_ascii=False).encode())
    return texts if size <= 2 * INLINE_LIMIT_BYTES else None


def zip_source(files: Sequence[SourceFile]) -> bytes:
    """Return an archive; the same files give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files, key=lambda file: file.path):
            entry = zipfile.ZipInfo(file.path, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix on every system, so that the mode counts
            entry.external_attr = (_EXECUTABLE_MODE if file.is_executable else _FILE_MODE) << 16
            archive.writestr(entry, file.content)
    return target.getvalue()
