"""Descriptors and manifests as the OCI image specification has them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from lambda_oci.errors import StoredImageError
from lambda_oci.references import is_digest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"

# Docker's media types name the same bytes; a manifest should not mix the two.
_OCI_LAYERS = {
    LAYER_GZIP: LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": LAYER_GZIP,
    "application/vnd.oci.image.layer.v1.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Media type, digest and size of some bytes."""

    media_type: str
    digest: str
    size: int

    @property
    def hex(self) -> str:
        """The digest without its algorithm."""
        return self.digest.removeprefix("sha256:")

    def document(self) -> Json:
        """As a JSON object."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def describe(media_type: str, content: bytes) -> Descriptor:
    """The descriptor of these bytes."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Descriptor(media_type, digest, len(content))


def invalid_image(message: str) -> StoredImageError:
    """The error for an image that cannot be used."""
    return StoredImageError("InvalidImage", message)


def check_content(content: bytes, digest: str) -> bytes:
    """Return the bytes if they match the digest."""
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise invalid_image(f"the bytes stored as {digest} do not match this digest")
    return content


def check_size(blob: Descriptor) -> int:
    """Return the size of a document if it is small enough to be read into memory."""
    if not 0 <= blob.size <= MAX_DOCUMENT_BYTES:
        raise invalid_image(f"{blob.digest} is too large for an image config")
    return blob.size


def parse_json(content: bytes, what: str) -> Json:
    """The JSON object in these bytes."""
    if (document := parse_object(content)) is None:
        raise invalid_image(f"{what} is not a JSON object")
    return document


def parse_object(content: bytes) -> Json | None:
    """The JSON object in these bytes, or None."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def encode_json(document: object) -> bytes:
    """Canonical JSON: equal documents give equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_descriptor(value: object) -> Descriptor:
    """A descriptor from JSON."""
    if isinstance(value, dict):
        media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
        if isinstance(media_type, str) and isinstance(digest, str) and isinstance(size, int):
            if not is_digest(digest):
                raise invalid_image(f"{digest[:80]!r} is not a sha256 digest")
            return Descriptor(media_type, digest, size)
    raise invalid_image("a descriptor lacks mediaType, digest or size")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Config and layers of one image."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """An image manifest, with Docker's media types replaced by OCI ones."""
        document = parse_json(content, "the image's manifest")
        layers = document.get("layers")
        if not isinstance(layers, list):
            raise invalid_image("the manifest lists no layers")
        return cls(
            parse_descriptor(document.get("config")),
            tuple(_oci_layer(parse_descriptor(layer)) for layer in layers),
        )

    def encode(self, annotations: dict[str, str]) -> bytes:
        """The manifest's bytes, in OCI media types."""
        document: Json = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": Descriptor(CONFIG, self.config.digest, self.config.size).document(),
            "layers": [layer.document() for layer in self.layers],
        }
        if annotations:
            document["annotations"] = annotations
        return encode_json(document)


def _oci_layer(layer: Descriptor) -> Descriptor:
    if layer.media_type not in _OCI_LAYERS:
        raise invalid_image(f"layers of the type {layer.media_type[:100]!r} are not supported")
    return Descriptor(_OCI_LAYERS[layer.media_type], layer.digest, layer.size)
