"""Config and manifest of an image made of a base image and layers on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_oci.descriptors import (
    CONFIG,
    DOCKER_INDEX,
    INDEX,
    Descriptor,
    Json,
    Manifest,
    describe,
    encode_json,
    invalid_image,
    parse_descriptor,
    parse_json,
)
from lambda_oci.platforms import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_oci.layer import StoredLayer
    from lambda_oci.repository import Repository

_BASE_DIGEST = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class BaseImage:
    """The image that another is built on."""

    digest: str
    layers: tuple[Descriptor, ...]
    config: Json

    @classmethod
    def read(cls, repository: Repository, digest: str) -> BaseImage:
        """The base image with this digest or, if it is an index, its variant for this machine."""
        manifest = Manifest.parse(read_image_manifest(repository, digest))
        config = parse_json(repository.read_blob(manifest.config), "the base image's config")
        if len(_diff_ids(config)) != len(manifest.layers):
            raise invalid_image("the base image's config and manifest differ in their layers")
        return cls(digest, manifest.layers, config)


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


@dataclass(frozen=True, slots=True)
class ImageDocuments:
    """The two documents of an image, as bytes."""

    config: bytes
    config_descriptor: Descriptor
    manifest: bytes


def append_layers(
    base: BaseImage,
    layers: Sequence[StoredLayer],
    labels: dict[str, str],
    environment: dict[str, str] | None = None,
    *,
    created_by: str,
) -> ImageDocuments:
    """The image with `layers` over the base; entrypoint and user stay the base's.

    `environment` replaces variables of the base; its other variables stay. A base with a history
    has an entry `created_by` for each layer.
    """
    config = dict(base.config)
    inner = config.get("config")
    inner = dict(inner) if isinstance(inner, dict) else {}
    inner["Labels"] = {**(inner.get("Labels") or {}), **labels}
    if environment:
        inner["Env"] = _merged(inner.get("Env"), environment)
    config["config"] = inner
    diff_ids = [*_diff_ids(base.config), *(layer.diff_id for layer in layers)]
    config["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    if isinstance(history := config.get("history"), list):
        config["history"] = [*history, *({"created_by": created_by} for _ in layers)]
    return encode_image(
        config,
        (*base.layers, *(layer.descriptor for layer in layers)),
        {_BASE_DIGEST: base.digest},
    )


def encode_image(
    config: Json, layers: tuple[Descriptor, ...], annotations: dict[str, str]
) -> ImageDocuments:
    """Config and manifest as bytes; equal input gives equal bytes."""
    content = encode_json(config)
    descriptor = describe(CONFIG, content)
    return ImageDocuments(content, descriptor, Manifest(descriptor, layers).encode(annotations))


def _merged(variables: object, environment: dict[str, str]) -> list[str]:
    of_base = variables if isinstance(variables, list) else []
    kept = [text for text in map(str, of_base) if text.partition("=")[0] not in environment]
    return [*kept, *(f"{name}={value}" for name, value in environment.items())]


def _diff_ids(config: Json) -> list[str]:
    rootfs = config.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or not all(isinstance(item, str) for item in diff_ids):
        raise invalid_image("the image's config lists no layers")
    return diff_ids
