"""Stores an image in a repository, sending only what is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_oci.folders import remove
from lambda_oci.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_oci.descriptors import Descriptor
    from lambda_oci.image import BaseImage, ImageDocuments
    from lambda_oci.layer import StoredLayer
    from lambda_oci.repository import Repository


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did."""

    digest: str
    sent_bytes: int
    """Of layers, config and manifest that the repository did not have."""


def push_image(
    image: ImageDocuments,
    layers: Sequence[StoredLayer],
    *,
    target: Repository,
    tag: str,
    scratch: Path,
    base: BaseImage | None = None,
    origin: Repository | None = None,
) -> Pushed:
    """Store the image and point the tag at it.

    The layers of the base are taken over from `origin`, mounted or linked where that can be done.
    Of `layers`, those that are no `Layer` in a file are in the target already. `scratch` is an
    empty folder.
    """
    sent = 0
    with target.writing():
        if base is not None and origin is not None:
            for blob in base.layers:
                sent += _take_over(blob, origin, target, scratch / "blob")
        for layer in layers:
            if isinstance(layer, Layer):
                sent += _add(layer.descriptor, layer.file, target)
        config = scratch / "config"
        config.write_bytes(image.config)
        sent += _add(image.config_descriptor, config, target)
        digest = target.add_manifest(image.manifest, tag).digest
    return Pushed(digest, sent + len(image.manifest))


def _take_over(blob: Descriptor, origin: Repository, target: Repository, scratch: Path) -> int:
    """Have the blob in the target; how many bytes were sent."""
    if target.contains(blob) or target.adopt(blob, origin):
        return 0
    origin.copy_blob(blob, scratch)
    target.add_blob(blob, scratch)
    remove(scratch)
    return blob.size


def _add(blob: Descriptor, content: Path, target: Repository) -> int:
    if target.contains(blob):
        return 0
    target.add_blob(blob, content)
    return blob.size
