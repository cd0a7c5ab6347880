"""A source archive, and the settings that fetch it."""

from __future__ import annotations

import hashlib

from tests.helpers.archives import gzipped, tar_bytes, tar_member

ARCHIVE = gzipped(tar_bytes(tar_member("main.py", b"x" * 3000), tar_member("lib/a.py")))


def settings(url: str, content: bytes = ARCHIVE, **changes: str) -> dict[str, str]:
    return {
        "CONTEXT_URL": url,
        "CONTEXT_SHA256": hashlib.sha256(content).hexdigest(),
        "CONTEXT_MAX_BYTES": "20000",
        "SOURCE_MAX_BYTES": "100000",
        "SOURCE_MAX_FILES": "100",
    } | changes
