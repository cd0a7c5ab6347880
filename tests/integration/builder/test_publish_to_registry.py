"""Images reach a real registry, where other programs find them."""

from __future__ import annotations

import json
import subprocess
import uuid

import pytest

from tests.helpers.builder_programs import assert_failed
from tests.helpers.publishing import HOW


@pytest.fixture
def repository(registry):
    return f"{registry.url}/tenant/{uuid.uuid4().hex}"


def uploads(registry, repository):
    """How many blobs were sent to the repository."""
    name = repository.partition("/tenant/")[2]
    return sum(
        method == "PUT" and f"/{name}/blobs/uploads/" in path and status == 201
        for method, path, status in registry.requests()
    )


def mounts(registry, repository):
    name = repository.partition("/tenant/")[2]
    return sum(
        method == "POST" and name in path and "mount=" in path and status == 201
        for method, path, status in registry.requests()
    )


def pull(skopeo, url, digest, target):
    name = url.removeprefix("http://")
    subprocess.run(
        [
            *(skopeo, "copy", "--insecure-policy", "--src-tls-verify=false"),
            *(f"docker://{name}@{digest}", f"oci:{target}:pulled"),
        ],
        check=True,
        capture_output=True,
    )


def test_an_image_is_pulled_back_and_runs(publishing, repository, require_server, tmp_path):
    result = publishing.publish(repository)
    pull(require_server("skopeo", HOW), repository, result["digest"], tmp_path / "pulled")
    umoci = require_server("umoci", HOW)
    subprocess.run(
        [umoci, "unpack", "--rootless", "--image", f"{tmp_path}/pulled:pulled", tmp_path / "run"],
        check=True,
        capture_output=True,
    )
    root = tmp_path / "run/rootfs"
    assert (root / "function/packages/p/p.txt").read_text() == "package"
    process = json.loads((tmp_path / "run/config.json").read_text())["process"]
    assert process["args"] == ["sh", "/runtime/serve.sh"]
    assert process["cwd"] == "/function/source"
    # The image has no operating system: the entrypoint runs with its paths in the unpacked root.
    script = (root / "runtime/serve.sh").read_text().replace("/function", f"{root}/function")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "hello"


def test_the_registry_s_own_tools_see_tag_and_labels(publishing, repository, require_server):
    result = publishing.publish(repository, IMAGE_TAG="b-123")
    skopeo = require_server("skopeo", HOW)
    name = repository.removeprefix("http://")
    done = subprocess.run(
        [skopeo, "inspect", "--tls-verify=false", f"docker://{name}:b-123"],
        capture_output=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["Digest"] == result["digest"]
    assert seen["Labels"] == {"dev.knative-lambda.runtime": "tiny1.0"}
    assert len(seen["Layers"]) == 3


def test_the_same_source_has_the_same_digest_twice(publishing, repository, registry):
    first = publishing.publish(repository)
    sent = uploads(registry, repository)
    second = publishing.publish(repository, IMAGE_TAG="v2")
    assert second["digest"] == first["digest"]
    assert [layer["reused"] for layer in first["layers"]] == [False, False]
    assert [layer["reused"] for layer in second["layers"]] == [True, True]
    assert uploads(registry, repository) == sent


def test_a_change_of_code_sends_the_code_layer_alone(publishing, repository, registry):
    first = publishing.publish(repository)
    sent = uploads(registry, repository)
    publishing.write({"source/main.txt": "changed"})
    second = publishing.publish(repository, IMAGE_TAG="v2")
    assert [layer["reused"] for layer in second["layers"]] == [True, False]
    assert second["layers"][0] == first["layers"][0] | {"reused": True}
    # The code layer and the image's config.
    assert uploads(registry, repository) == sent + 2


def test_layers_of_a_base_image_in_the_same_registry_are_mounted(publishing, registry, repository):
    base_repository = f"{registry.url}/runtimes/{uuid.uuid4().hex}"
    base = publishing.publish(base_repository)
    url = f"{base_repository}@{base['digest']}"
    publishing.publish(repository, BASE_IMAGE_URL=url)
    assert mounts(registry, repository) == 3
    # The added layers have the same bytes as the base's, so only the config is sent.
    assert uploads(registry, repository) == 1


def test_an_image_without_packages_has_a_code_layer_alone(publishing, repository):
    (publishing.folder / "workspace/packages/p/p.txt").unlink()
    (publishing.folder / "workspace/packages/p").rmdir()
    assert len(publishing.publish(repository)["layers"]) == 1


def test_an_image_of_a_registry_can_be_the_base_of_one_in_a_folder(
    publishing, repository, tmp_path
):
    base = publishing.publish(repository)
    result = publishing.publish(
        f"file://{tmp_path}/images/fn", BASE_IMAGE_URL=f"{repository}@{base['digest']}"
    )
    blobs = tmp_path / "images/fn/blobs/sha256"
    assert (blobs / result["digest"].removeprefix("sha256:")).exists()
    assert len(list(blobs.iterdir())) == 5


def test_a_base_image_that_is_missing_is_the_platform_s_trouble(publishing, repository):
    base = f"{repository}@sha256:{'0' * 64}"
    ended = publishing.run(repository, BASE_IMAGE_URL=base)
    assert "sha256:0000" in assert_failed(ended, 75, "ImageNotFound")


def test_a_password_is_taken_from_docker_s_file(publishing, password_registry, tmp_path):
    config = password_registry.docker_config(tmp_path / "docker")
    url = f"{password_registry.url}/tenant/fn"
    assert publishing.publish(url, DOCKER_CONFIG=config)["digest"]


@pytest.mark.parametrize("password", [None, "wrong-password"])
def test_without_the_right_password_the_setting_is_named(
    publishing, password_registry, tmp_path, password
):
    changes = {}
    if password:
        changes["DOCKER_CONFIG"] = password_registry.docker_config(tmp_path / "docker", password)
    ended = publishing.run(f"{password_registry.url}/tenant/fn", **changes)
    assert "DOCKER_CONFIG" in assert_failed(ended, 75, "RegistryDenied")
    assert "wrong-password" not in ended.output + ended.errors


def test_a_registry_that_is_not_there_is_the_platform_s_trouble(publishing):
    ended = publishing.run("http://127.0.0.1:9/tenant/fn")
    assert "no connection" in assert_failed(ended, 75, "RegistryUnavailable")


@pytest.mark.parametrize("tag", ["", "a b", "x" * 200])
def test_a_tag_that_no_registry_takes_is_refused(publishing, repository, tag):
    ended = publishing.run(repository, IMAGE_TAG=tag)
    assert ended.exit_code == 75
    assert ended.message["reason"] in {"InvalidSettings", "InvalidImageReference"}
