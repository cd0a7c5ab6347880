"""An image repository in a folder, as an OCI image layout (image-spec 1.1).

    <repository>/oci-layout                 {"imageLayoutVersion": "1.0.0"}
    <repository>/index.json                 an OCI index of every manifest in the repository
    <repository>/blobs/sha256/<hex>         manifests, configs and layers, each written once

- One folder per repository. A tag is an entry of `index.json` with the annotation
  `org.opencontainers.image.ref.name`. An entry without it is an image whose tag moved on: it is
  still there by its digest. An image with two tags has two entries.
- Blobs appear by rename, are read-only, and may be hard links into other repositories. A blob that
  no manifest of the index names belongs to a publish that was killed, or to nothing.
- Whoever changes `index.json` or removes blobs holds an exclusive flock(2) on the repository's
  folder itself (see `folders.locked_folder`), so publishing and collecting take turns. To remove a
  whole repository, take the lock, then rename or remove the folder; who waited for the lock finds
  the folder gone and starts with a new one.
- Readers need no lock: `index.json` is replaced by rename, after everything it names is on disk.
- Names of files that are being written start with a dot and end in `.partial`; a killed writer's
  are removed by the next publish to the repository.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_oci.descriptors import (
    INDEX,
    MANIFEST,
    Descriptor,
    describe,
    encode_json,
    invalid_image,
    parse_json,
)
from lambda_oci.errors import StoredImageError
from lambda_oci.folders import locked_folder, new_file, sync
from lambda_oci.references import check_tag
from lambda_oci.repository import check_content, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_oci.repository import Repository

REF_NAME = "org.opencontainers.image.ref.name"
_CHUNK = 1024 * 1024
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
# Another disk, a file system without links, too many links, a kernel that protects links.
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES}


class LayoutRepository:
    """The repository in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"

    def path(self, blob: Descriptor) -> Path:
        """Where the blob is, or would be."""
        return self._blobs / blob.hex

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the repository's lock."""
        with locked_folder(self._folder):
            self._blobs.mkdir(parents=True, exist_ok=True)
            for left_over in (*self._folder.glob(".*.partial"), *self._blobs.glob(".*.partial")):
                left_over.unlink()
            if not (marker := self._folder / "oci-layout").exists():
                with new_file(marker) as partial:
                    partial.write_bytes(_LAYOUT)
            yield

    def contains(self, blob: Descriptor) -> bool:
        """Whether all of the blob is here."""
        path = self.path(blob)
        return path.is_file() and path.stat().st_size == blob.size

    def adopt(self, blob: Descriptor, origin: Repository) -> bool:
        """Hard-link the blob from another folder."""
        if not isinstance(origin, LayoutRepository) or not origin.contains(blob):
            return False
        try:
            self.path(blob).unlink(missing_ok=True)
            os.link(origin.path(blob), self.path(blob))
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
        return True

    def add_blob(self, blob: Descriptor, content: Path) -> None:
        """Copy the file in; its bytes are on disk when this returns."""
        with new_file(self.path(blob)) as partial:
            try:
                os.link(content, partial)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                shutil.copyfile(content, partial)
            partial.chmod(0o444)

    def add_manifest(self, content: bytes, tag: str) -> Descriptor:
        """Store the manifest and move the tag to it."""
        manifest = describe(MANIFEST, content)
        if not self.contains(manifest):
            with new_file(self.path(manifest)) as partial:
                partial.write_bytes(content)
                partial.chmod(0o444)
        # Links made by `adopt` have to be on disk before the index names them.
        sync(self._blobs)
        entries = _tagged(self._entries(), manifest, check_tag(tag))
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        with new_file(self._folder / "index.json") as partial:
            partial.write_bytes(encode_json(index))
        return manifest

    def read_manifest(self, digest: str) -> bytes:
        """A manifest by its digest, tagged or not."""
        return check_content(self._read(Descriptor(MANIFEST, digest, 0)), digest)

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob."""
        check_size(blob)
        return check_content(self._read(blob), blob.digest)

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Copy a blob out, checking it on the way."""
        sha256 = hashlib.sha256()
        try:
            with self.path(blob).open("rb") as source, target.open("wb") as file:
                while chunk := source.read(_CHUNK):
                    sha256.update(chunk)
                    file.write(chunk)
        except FileNotFoundError:
            raise self._missing(blob) from None
        if f"sha256:{sha256.hexdigest()}" != blob.digest:
            raise invalid_image(f"the bytes stored as {blob.digest} are others")

    def _read(self, blob: Descriptor) -> bytes:
        try:
            return self.path(blob).read_bytes()
        except FileNotFoundError:
            raise self._missing(blob) from None

    def _missing(self, blob: Descriptor) -> StoredImageError:
        return StoredImageError("ImageNotFound", f"{blob.digest} is not in {self._folder.name!r}")

    def _entries(self) -> list[dict[str, object]]:
        path = self._folder / "index.json"
        if not path.exists():
            return []
        entries = parse_json(path.read_bytes(), "index.json").get("manifests")
        return (
            [entry for entry in entries if isinstance(entry, dict)]
            if isinstance(entries, list)
            else []
        )


def _tagged(
    entries: list[dict[str, object]], manifest: Descriptor, tag: str
) -> list[dict[str, object]]:
    """The entries with the tag at the manifest; what the tag named before stays without a tag."""
    kept: list[dict[str, object]] = []
    for entry in entries:
        unnamed = {key: value for key, value in entry.items() if key != "annotations"}
        kept.append(unnamed if _tag(entry) == tag else entry)
    kept.append({**manifest.document(), "annotations": {REF_NAME: tag}})
    named = {entry["digest"] for entry in kept if _tag(entry)}
    untagged: dict[object, dict[str, object]] = {}
    for entry in kept:
        if not _tag(entry) and entry.get("digest") not in named:
            untagged[entry.get("digest")] = entry
    return [*untagged.values(), *(entry for entry in kept if _tag(entry))]


def _tag(entry: dict[str, object]) -> str | None:
    annotations = entry.get("annotations")
    tag = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return tag if isinstance(tag, str) else None
