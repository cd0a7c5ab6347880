"""Unpacks images of OCI layouts into folders, from which a process can run."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_oci.descriptors import Manifest, invalid_image, parse_json
from lambda_oci.folders import fill_once, remove
from lambda_oci.layer_reading import extract_layer
from lambda_oci.layout import LayoutRepository
from lambda_oci.references import LayoutLocation, check_digest, parse_repository

if TYPE_CHECKING:
    from lambda_oci.descriptors import Json


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """How a container of the image is started."""

    entrypoint: tuple[str, ...]
    env: dict[str, str]
    labels: dict[str, str]
    working_dir: str
    user: str


def unpack_image(
    repository_url: str, digest: str, target_folder: Path, *, layer_cache: Path | None = None
) -> ImageConfig:
    """Fill `target_folder` with the image's files, unless it exists already; return its config.

    The folder appears complete or not at all. Every layer is checked against its digest and kept
    unpacked in `layer_cache` (`.layers` beside the target), from which images are made of hard
    links: files are read-only, folders belong to the image alone. The cache may be removed at any
    time no unpacking runs.
    """
    location = parse_repository(repository_url)
    if not isinstance(location, LayoutLocation):
        raise invalid_image("only images in a folder (file://) can be unpacked")
    repository = LayoutRepository(location.folder)
    manifest = Manifest.parse(repository.read_manifest(check_digest(digest)))
    config = parse_json(repository.read_blob(manifest.config), "the image's config")
    cache = layer_cache or target_folder.parent / ".layers"
    fill_once(target_folder, lambda root: _fill(root, repository, manifest, cache))
    return _image_config(config)


def _fill(root: Path, repository: LayoutRepository, manifest: Manifest, cache: Path) -> None:
    for layer in manifest.layers:
        unpacked = cache / layer.hex
        fill_once(unpacked, partial(extract_layer, repository, layer))
        _overlay(unpacked, root)


def _overlay(layer: Path, root: Path) -> None:
    """Put a layer over the ones below: folders merge, everything else is replaced."""
    for folder, folders, files in os.walk(layer):
        here = root / Path(folder).relative_to(layer)
        if here.is_symlink() or not here.is_dir():
            # Never follow a link: a lower layer could point it anywhere.
            remove(here)
            here.mkdir(mode=0o755)
        for name in files + [name for name in folders if (Path(folder) / name).is_symlink()]:
            remove(here / name)
            _link(Path(folder) / name, here / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # Another disk, or more images share the file than the file system counts.
        shutil.copy2(source, target, follow_symlinks=False)


def _image_config(config: Json) -> ImageConfig:
    inner = config.get("config")
    inner = inner if isinstance(inner, dict) else {}
    command = [*(inner.get("Entrypoint") or []), *(inner.get("Cmd") or [])]
    pairs = (str(entry).partition("=") for entry in inner.get("Env") or [])
    return ImageConfig(
        entrypoint=tuple(str(part) for part in command),
        env={name: value for name, _, value in pairs},
        labels={str(key): str(value) for key, value in (inner.get("Labels") or {}).items()},
        working_dir=str(inner.get("WorkingDir") or "/"),
        user=str(inner.get("User") or ""),
    )
