"""An image repository in a folder, as an OCI image layout (image-spec 1.1).

    <repository>/oci-layout                 {"imageLayoutVersion": "1.0.0"}
    <repository>/index.json                 an OCI index of every manifest in the repository
    <repository>/blobs/sha256/<hex>         manifests, configs and layers, each written once

- One folder per repository. A tag is an entry of `index.json` with the annotation
  `org.opencontainers.image.ref.name`. An entry without it is an image whose tag moved on: it can
  still be read by its digest. An image with two tags has two entries.
- Blobs appear by rename, are read-only, and may be hard links into other repositories. A blob that
  no manifest of the index names was left by a publish that was killed.
- Writers of `index.json` and removers of blobs hold an exclusive flock(2) on the repository's
  folder itself (see `folders.locked_folder`), so publishing and collecting take turns. To remove a
  whole repository, take the lock, then rename or remove the folder; a process that waited for the
  lock finds the folder gone and starts with a new one.
- Readers need no lock: `index.json` is replaced by rename, after everything it names is on disk.
- Names of files that are being written start with a dot and end in `.partial`; a killed writer's
  are removed by the next publish to the repository.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_oci.descriptors import (
    INDEX,
    MANIFEST,
    Descriptor,
    check_content,
    check_size,
    describe,
    encode_json,
    invalid_image,
    parse_descriptor,
    parse_json,
    parse_object,
)
from lambda_oci.errors import StoredImageError
from lambda_oci.folders import locked_folder, locked_if_there, new_file, remove, sync
from lambda_oci.hashing import Hashing
from lambda_oci.references import check_digest, check_tag, is_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_oci.descriptors import Json
    from lambda_oci.repository import Repository

REF_NAME = "org.opencontainers.image.ref.name"
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
        self._write_index(_tagged(self._entries(), manifest, check_tag(tag)))
        return manifest

    def read_manifest(self, digest: str) -> bytes:
        """A manifest by its digest, tagged or not."""
        return check_content(self._read(Descriptor(MANIFEST, digest, 0)), digest)

    def read_tagged(self, tag: str) -> bytes | None:
        """The manifest behind a tag."""
        digest = self.find(tag)
        return None if digest is None else self.read_manifest(digest)

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob."""
        check_size(blob)
        return check_content(self._read(blob), blob.digest)

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Copy a blob out, checking it on the way."""
        try:
            with self.path(blob).open("rb") as source, target.open("wb") as file:
                hashing = Hashing(source)
                shutil.copyfileobj(hashing.as_file(), file)
        except FileNotFoundError:
            raise self._missing(blob) from None
        if hashing.digest != blob.digest:
            raise invalid_image(f"the bytes stored as {blob.digest} do not match this digest")

    def find(self, tag: str) -> str | None:
        """The digest behind a tag."""
        return next((_digest(entry) for entry in self._entries() if _tag(entry) == tag), None)

    def list_tags(self) -> list[str]:
        """All tags in order."""
        return sorted(tag for entry in self._entries() if (tag := _tag(entry)) is not None)

    def delete(self, digest: str) -> None:
        """Remove a manifest and the blobs that only it used; with the last one, the repository."""
        check_digest(digest)
        with locked_if_there(self._folder) as is_there:
            entries = self._entries() if is_there else []
            kept = [entry for entry in entries if _digest(entry) != digest]
            if is_there and not kept:
                remove(self._folder)
            elif len(kept) < len(entries):
                self._write_index(kept)
                self._remove_unnamed_blobs(kept)

    def _remove_unnamed_blobs(self, entries: list[Json]) -> None:
        named = set()
        for digest in map(_digest, entries):
            manifest = parse_json(self.read_manifest(digest), "a manifest")
            layers = manifest.get("layers")
            parts = [manifest.get("config"), *(layers if isinstance(layers, list) else [])]
            named |= {digest, *(parse_descriptor(part).digest for part in parts)}
        names = {digest.partition(":")[2] for digest in named}
        for blob in self._blobs.iterdir():
            if blob.name not in names:
                blob.unlink()

    def _read(self, blob: Descriptor) -> bytes:
        try:
            return self.path(blob).read_bytes()
        except FileNotFoundError:
            raise self._missing(blob) from None

    def _missing(self, blob: Descriptor) -> StoredImageError:
        return StoredImageError("ImageNotFound", f"{blob.digest} is not in {self._folder.name!r}")

    def _entries(self) -> list[Json]:
        try:
            content = (self._folder / "index.json").read_bytes()
        except FileNotFoundError:
            return []
        index = parse_object(content)
        entries = None if index is None else index.get("manifests")
        if not isinstance(entries, list) or not all(map(_is_entry, entries)):
            raise invalid_image("index.json lists no images")
        return entries

    def _write_index(self, entries: list[Json]) -> None:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        with new_file(self._folder / "index.json") as partial:
            partial.write_bytes(encode_json(index))


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and is_digest(str(value.get("digest")))


def _digest(entry: Json) -> str:
    return str(entry["digest"])


def _tagged(entries: list[Json], manifest: Descriptor, tag: str) -> list[Json]:
    """The entries with the tag at the manifest; what the tag named before stays without a tag."""
    kept: list[Json] = []
    for entry in entries:
        unnamed = {key: value for key, value in entry.items() if key != "annotations"}
        kept.append(unnamed if _tag(entry) == tag else entry)
    kept.append({**manifest.document(), "annotations": {REF_NAME: tag}})
    named = {entry["digest"] for entry in kept if _tag(entry)}
    untagged: dict[object, Json] = {}
    for entry in kept:
        if not _tag(entry) and entry.get("digest") not in named:
            untagged[entry.get("digest")] = entry
    return [*untagged.values(), *(entry for entry in kept if _tag(entry))]


def _tag(entry: Json) -> str | None:
    annotations = entry.get("annotations")
    tag = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return tag if isinstance(tag, str) else None
