"""The operations on an image repository, in a folder or in a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lambda_oci.descriptors import Descriptor


class Repository(Protocol):
    """One repository; failures are `OciError`s, in folders `OSError`s too."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold from the first `contains` to `add_manifest`, to keep the garbage collector out."""
        ...

    def contains(self, blob: Descriptor) -> bool:
        """Whether the blob is here already."""
        ...

    def adopt(self, blob: Descriptor, origin: Repository) -> bool:
        """Link or mount the blob from another repository; false if it has to be copied."""
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

    def read_tagged(self, tag: str) -> bytes | None:
        """The manifest or index behind a tag; None where the tag or the repository is unknown."""
        ...

    def copy_blob(self, blob: Descriptor, target: Path) -> None:
        """Write the blob to a file, checked against its digest."""
        ...

    def read_blob(self, blob: Descriptor) -> bytes:
        """A small blob (a config), checked against its digest."""
        ...

    def find(self, tag: str) -> str | None:
        """The digest behind a tag; None where the tag or the repository is unknown."""
        ...

    def list_tags(self) -> list[str]:
        """All tags in order; none where the repository is unknown."""
        ...

    def delete(self, digest: str) -> None:
        """Remove a manifest with its tags; one that is gone is removed already."""
        ...
