"""What the Job of a build leaves."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lambda_oci.layer import write_archive
from tests.helpers.workspaces import write_files

MAX_BYTES = 100_000_000


def packages_archive(packages: dict[str, str], lock: str | None = None) -> bytes:
    """The archive of a folder `packages` with these files, and of a lock."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "packages").mkdir()
        write_files(root / "packages", packages)
        contents = [("packages", root / "packages")]
        if lock is not None:
            (root / "lock.txt").write_text(lock)
            contents.append(("lock.txt", root / "lock.txt"))
        write_archive(contents, root / "archive", max_bytes=MAX_BYTES)
        return (root / "archive").read_bytes()
