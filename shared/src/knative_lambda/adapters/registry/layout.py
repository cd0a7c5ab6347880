"""Images in OCI layout folders, one per repository, as the builder's publish step writes them.

Who changes `index.json` or removes blobs holds an exclusive flock(2) on the repository's folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from knative_lambda.domain.errors import RegistryUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REF_NAME = "org.opencontainers.image.ref.name"


class LayoutImageRegistry:
    """Reads without a lock: `index.json` is only ever replaced as a whole."""

    def find(self, repository_url: str, tag: str) -> str | None:
        """The digest behind a tag."""
        for entry in _entries(_folder(repository_url)):
            if _tag(entry) == tag:
                digest: str = entry["digest"]
                return digest
        return None

    def list_tags(self, repository_url: str) -> list[str]:
        """All tags; none where the repository is unknown."""
        tags = (_tag(entry) for entry in _entries(_folder(repository_url)))
        return sorted(tag for tag in tags if tag is not None)

    def delete(self, repository_url: str, digest: str) -> None:
        """Remove a manifest and the blobs that only it used; with the last one, the repository."""
        folder = _folder(repository_url)
        with _translated(), _locked(folder) as exists:
            if not exists:
                return
            entries = _entries(folder)
            kept = [entry for entry in entries if entry["digest"] != digest]
            if not kept:
                shutil.rmtree(folder)
            elif len(kept) < len(entries):
                _replace_index(folder, kept)
                _remove_unnamed_blobs(folder, kept)


def _folder(repository_url: str) -> Path:
    return Path(unquote(urlsplit(repository_url).path))


def _tag(entry: dict[str, Any]) -> str | None:
    return (entry.get("annotations") or {}).get(_REF_NAME)


def _entries(folder: Path) -> list[dict[str, Any]]:
    with _translated():
        try:
            index = json.loads((folder / "index.json").read_bytes())
        except FileNotFoundError:
            return []
        # Who reads an entry relies on its digest.
        return [entry | {"digest": str(entry["digest"])} for entry in index["manifests"]]


def _replace_index(folder: Path, entries: list[dict[str, Any]]) -> None:
    index = json.loads((folder / "index.json").read_bytes()) | {"manifests": entries}
    partial = folder / ".index.json.partial"
    with partial.open("w") as file:
        json.dump(index, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / "index.json")


def _remove_unnamed_blobs(folder: Path, entries: list[dict[str, Any]]) -> None:
    blobs = folder / "blobs" / "sha256"
    named = set()
    for entry in entries:
        named.add(entry["digest"].partition(":")[2])
        manifest = json.loads((blobs / entry["digest"].partition(":")[2]).read_bytes())
        for part in (manifest["config"], *manifest["layers"]):
            named.add(part["digest"].partition(":")[2])
    for blob in blobs.iterdir():
        if blob.name not in named:
            blob.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the repository's lock; False when there is no repository (any more)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder.exists() and os.fstat(descriptor).st_ino == folder.stat().st_ino
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryUnavailableError(
            f"an image layout folder cannot be read or written ({type(error).__name__})"
        ) from error
