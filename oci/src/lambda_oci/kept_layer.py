"""One layer that is kept under a tag, for images that are made later in the same repository.

It is an image without a base, so that every registry takes and collects it as such. An annotation
of the manifest has the layer's diff id, so that one request reads all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_oci.descriptors import Manifest, invalid_image, parse_object
from lambda_oci.image import encode_image
from lambda_oci.layer import StoredLayer, pack_layer
from lambda_oci.platforms import architecture
from lambda_oci.pushing import push_image
from lambda_oci.references import is_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambda_oci.layer import Layer
    from lambda_oci.pushing import Pushed
    from lambda_oci.repository import Repository

_DIFF_ID = "dev.knative-lambda.diff-id"
_NOTHING = "none"


def keep_layer(
    layer: Layer | None, labels: Mapping[str, str], *, target: Repository, tag: str, scratch: Path
) -> Pushed:
    """Store the layer, or that there is none, under the tag."""
    # Not every registry takes an image without any layer.
    kept = layer or pack_layer(scratch / "nothing", lambda _: None)
    config: dict[str, object] = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [kept.diff_id]},
    }
    diff_id = layer.diff_id if layer else _NOTHING
    image = encode_image(config, (kept.descriptor,), {_DIFF_ID: diff_id})
    return push_image(image, [kept], target=target, tag=tag, scratch=scratch)


def read_kept_layer(repository: Repository, tag: str) -> tuple[StoredLayer, ...] | None:
    """The layer under the tag, or none if none was kept; None where the tag is unknown."""
    if (content := repository.read_tagged(tag)) is None:
        return None
    manifest = Manifest.parse(content)
    annotations = (parse_object(content) or {}).get("annotations")
    diff_id = annotations.get(_DIFF_ID) if isinstance(annotations, dict) else None
    if diff_id == _NOTHING:
        return ()
    if not isinstance(diff_id, str) or not is_digest(diff_id) or len(manifest.layers) != 1:
        raise invalid_image(f"the tag {tag} does not keep a layer")
    return (StoredLayer(manifest.layers[0], diff_id),)
