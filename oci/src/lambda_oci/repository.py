"""What publishing needs from a repository, be it a folder or a registry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from lambda_oci.descriptors import (
    DOCKER_INDEX,
    INDEX,
    Descriptor,
    invalid_image,
    parse_descriptor,
    parse_json,
)
from lambda_oci.platforms import architecture
from lambda_oci.references import LayoutLocation, Location

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

_MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


class Repository(Protocol):
    """One repository; failures are `OciError`s."""

    def writing(self) -> AbstractContextManager[None]:
        """Held from the first `contains` to `add_manifest`: no collector comes between."""
        ...

    def contains(self, blob: Descriptor) -> bool:
        """Whether the blob is here already."""
        ...

    def adopt(self, blob: Descriptor, origin: Repository) -> bool:
        """Take the blob over from another repository; false where it has to be copied."""
        ...

    def add_blob(self, blob: Descriptor, content: Path) -> None:
        """Store a blob; readers see all of it or nothing."""
        ...

    def add_manifest(self, content: bytes, tag: str) -> Descriptor:
        """Store the manifest and point the tag at it; its descriptor."""
        ...

    def read_manifest(self, digest: str) -> bytes:
        """A manifest or index, checked against its digest."""
        ...

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Write the blob to a file, checked against its digest."""
        ...

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob (a config), checked against its digest."""
        ...


def open_repository(location: Location, docker_config: Path | None) -> Repository:
    """The adapter for a location."""
    if isinstance(location, LayoutLocation):
        from lambda_oci.layout import LayoutRepository  # noqa: PLC0415

        return LayoutRepository(location.folder)
    # Importing the HTTP library takes longer than all else that a folder needs.
    from lambda_oci.registry import RegistryRepository  # noqa: PLC0415

    return RegistryRepository.connect(location, docker_config)


def check_content(content: bytes, digest: str) -> bytes:
    """The bytes, when they are what the digest names."""
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise invalid_image(f"the bytes stored as {digest} are others")
    return content


def check_size(blob: Descriptor) -> int:
    """The size of a document, when it may be read into memory."""
    if not 0 <= blob.size <= _MAX_DOCUMENT_BYTES:
        raise invalid_image(f"{blob.digest} is too large for an image config")
    return blob.size


def read_image_manifest(repository: Repository, digest: str) -> bytes:
    """The manifest of an image, or of an index's image for this machine's architecture."""
    content = repository.read_manifest(digest)
    document = parse_json(content, "the manifest")
    if document.get("mediaType") not in {INDEX, DOCKER_INDEX} and "manifests" not in document:
        return content
    wanted = {"os": "linux", "architecture": architecture()}
    entries = document.get("manifests")
    for entry in entries if isinstance(entries, list) else []:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(platform, dict) and platform.items() >= wanted.items():
            return repository.read_manifest(parse_descriptor(entry).digest)
    raise invalid_image(f"the base image has no variant for linux/{architecture()}")
