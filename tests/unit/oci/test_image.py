"""An image is its base and what is put on top; equal input gives equal documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambda_oci.descriptors import (
    DOCKER_MANIFEST,
    INDEX,
    LAYER_GZIP,
    MANIFEST,
    Descriptor,
    Manifest,
    describe,
    encode_json,
)
from lambda_oci.errors import StoredImageError
from lambda_oci.image import BaseImage, append_layers, read_image_manifest
from lambda_oci.layer import Layer
from lambda_oci.platforms import architecture

DIGEST = "sha256:" + "1" * 64
BASE_LAYER = Descriptor(LAYER_GZIP, "sha256:" + "2" * 64, 20)
ADDED = Layer(Descriptor(LAYER_GZIP, "sha256:" + "3" * 64, 30), "sha256:" + "4" * 64, Path("x"))
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2020-01-01T00:00:00Z",
    "config": {"Entrypoint": ["python"], "User": "65532", "Labels": {"a": "b"}},
    "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    "history": [{"created_by": "base"}],
}


class Documents:
    """Manifests by digest, for reading alone."""

    def __init__(self, *contents: bytes) -> None:
        self._contents = {describe(MANIFEST, content).digest: content for content in contents}

    def read_manifest(self, digest: str) -> bytes:
        return self._contents[digest]


def test_layers_and_labels_are_added_and_all_else_is_the_base_s():
    base = BaseImage(DIGEST, (BASE_LAYER,), CONFIG)
    image = append_layers(
        base, [ADDED], {"dev.knative-lambda.runtime": "python3.11"}, created_by="us"
    )
    config = json.loads(image.config)
    assert config["rootfs"]["diff_ids"] == [DIGEST, ADDED.diff_id]
    assert config["config"] == {
        "Entrypoint": ["python"],
        "User": "65532",
        "Labels": {"a": "b", "dev.knative-lambda.runtime": "python3.11"},
    }
    assert len(config["history"]) == 2
    assert config["created"] == CONFIG["created"]
    manifest = json.loads(image.manifest)
    assert [layer["digest"] for layer in manifest["layers"]] == [
        BASE_LAYER.digest,
        ADDED.descriptor.digest,
    ]
    assert manifest["annotations"] == {"org.opencontainers.image.base.digest": DIGEST}
    assert manifest["config"]["digest"] == describe("", image.config).digest
    assert image == append_layers(
        base, [ADDED], {"dev.knative-lambda.runtime": "python3.11"}, created_by="us"
    )


def test_variables_take_the_place_of_the_base_s_and_its_others_stay():
    inner = {"Env": ["PATH=/bin", "FUNCTION_HANDLER=index.handler", "PORT=8080"]}
    base = BaseImage(DIGEST, (BASE_LAYER,), {**CONFIG, "config": inner})
    image = append_layers(
        base, [ADDED], {}, {"FUNCTION_HANDLER": "src/app.handler"}, created_by="us"
    )
    environment = json.loads(image.config)["config"]["Env"]
    assert environment == ["PATH=/bin", "PORT=8080", "FUNCTION_HANDLER=src/app.handler"]


def test_variables_need_none_in_the_base():
    image = append_layers(
        BaseImage(DIGEST, (BASE_LAYER,), CONFIG), [ADDED], {}, {"A": "b"}, created_by="us"
    )
    assert json.loads(image.config)["config"]["Env"] == ["A=b"]


def test_docker_s_media_types_become_those_of_oci():
    content = encode_json(
        {
            "mediaType": DOCKER_MANIFEST,
            "config": describe("application/vnd.docker.container.image.v1+json", b"").document(),
            "layers": [
                describe("application/vnd.docker.image.rootfs.diff.tar.gzip", b"").document()
            ],
        }
    )
    assert Manifest.parse(content).layers[0].media_type == LAYER_GZIP
    assert b"docker" not in Manifest.parse(content).encode({})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"layers": []}',
        b'{"layers": [], "config": {"mediaType": "a", "digest": "md5:0", "size": 1}}',
        encode_json(
            {
                "config": describe("a", b"").document(),
                "layers": [describe("foreign", b"").document()],
            }
        ),
    ],
)
def test_an_unusable_manifest_is_refused(content):
    with pytest.raises(StoredImageError) as caught:
        Manifest.parse(content)
    assert caught.value.reason in {"InvalidImage", "InvalidImageReference"}


def index(*platforms):
    return encode_json(
        {
            "mediaType": INDEX,
            "manifests": [
                {**describe(MANIFEST, name.encode()).document(), "platform": platform}
                for name, platform in platforms
            ],
        }
    )


def test_of_an_index_the_variant_for_this_machine_is_taken():
    here = {"os": "linux", "architecture": architecture(), "variant": "v8"}
    content = index(("other", {"os": "linux", "architecture": "z80"}), ("ours", here))
    documents = Documents(content, b"ours", b"other")
    assert read_image_manifest(documents, describe("", content).digest) == b"ours"


def test_an_index_without_this_machine_is_refused():
    content = index(("other", {"os": "linux", "architecture": "z80"}))
    with pytest.raises(StoredImageError, match=architecture()):
        read_image_manifest(Documents(content), describe("", content).digest)
