"""The input of a build Job, and what it leaves."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

from tests.helpers.archives import gzipped, tar_bytes, tar_member
from tests.helpers.workspaces import write_runtime

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"main.txt": b"hello"}


def job_settings(folder: Path, script: str, **changes: str) -> dict[str, str]:
    """Variables of a Job whose recipe is this shell script."""
    if not (folder / "runtimes").exists():
        write_runtime(folder / "runtimes", script=script)
    content = gzipped(tar_bytes(*(tar_member(name, text) for name, text in FILES.items())))
    (folder / "files.tar.gz").write_bytes(content)
    return {
        **context_settings(f"file://{folder}/files.tar.gz", content),
        "RUNTIME": "tiny1.0",
        "RUNTIMES_DIR": str(folder / "runtimes"),
        "BUILD_TIMEOUT_SECONDS": "20",
        "RESULT_URL": f"file://{folder}/results/result",
        "RESULT_MAX_BYTES": "1000000",
        **changes,
    }


def context_settings(url: str, content: bytes) -> dict[str, str]:
    return {
        "CONTEXT_URL": url,
        "CONTEXT_SHA256": hashlib.sha256(content).hexdigest(),
        "CONTEXT_MAX_BYTES": "20000",
        "SOURCE_MAX_BYTES": "100000",
        "SOURCE_MAX_FILES": "100",
    }


def result(folder: Path) -> dict[str, bytes]:
    """The files that the Job left in storage."""
    with tarfile.open(folder / "results/result") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isreg()}
