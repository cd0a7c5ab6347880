"""JSON in files that foreign code could reach."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_json_object(file: Path, *, max_bytes: int) -> dict[str, object] | None:
    """The object in a regular file; None for anything else, which the file may be."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return None
            document = json.loads(stream.read(max_bytes))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
