"""Image repositories in folders stay whole, whoever writes at once and whoever is killed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.builder_programs import assert_failed, finish, run, start
from tests.helpers.publishing import HOW
from tests.helpers.workspaces import write_files


@pytest.fixture
def images(tmp_path):
    return tmp_path / "images" / "tenant" / "fn"


def check(images):
    """Every blob is what its name says, and the index names only what is there; the tags."""
    for blob in (images / "blobs/sha256").glob("[!.]*"):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    index = json.loads((images / "index.json").read_text())
    tags = {}
    for entry in index["manifests"]:
        manifest = json.loads((images / "blobs/sha256" / entry["digest"][7:]).read_bytes())
        for blob in [manifest["config"], *manifest["layers"]]:
            assert (images / "blobs/sha256" / blob["digest"][7:]).stat().st_size == blob["size"]
        if "annotations" in entry:
            tags[entry["annotations"]["org.opencontainers.image.ref.name"]] = entry["digest"]
    return tags


def test_an_image_layout_is_read_by_others(publishing, images, require_server):
    result = publishing.publish(f"file://{images}")
    skopeo = require_server("skopeo", HOW)
    done = subprocess.run([skopeo, "inspect", f"oci:{images}:v1"], capture_output=True, check=True)
    assert json.loads(done.stdout)["Digest"] == result["digest"]
    assert check(images) == {"v1": result["digest"]}


def test_base_layers_are_linked(publishing, images):
    publishing.publish(f"file://{images}")
    links = [blob.stat().st_nlink for blob in (images / "blobs/sha256").iterdir()]
    assert sorted(links) == [1, 1, 1, 1, 2]


def test_a_change_of_code_reuses_the_dependency_layer(publishing, images):
    publishing.publish(f"file://{images}")
    publishing.write({"source/main.txt": "changed"})
    second = publishing.publish(f"file://{images}", IMAGE_TAG="v2")
    assert [layer["reused"] for layer in second["layers"]] == [True, False]
    assert set(check(images)) == {"v1", "v2"}


def test_the_image_names_the_handler_that_the_source_s_own_manifest_means(publishing, images):
    with (publishing.folder / "runtimes/tiny/runtime.toml").open("a") as file:
        file.write('\nsource = {manifest = "package.json", suffixes = [".js"]}\n')
    publishing.write({"source/package.json": '{"main": "src/app.js"}', "source/src/app.js": ""})
    publishing.publish(f"file://{images}")
    blobs = (
        json.loads(blob.read_bytes())
        for blob in (images / "blobs/sha256").glob("*")
        if blob.read_bytes().startswith(b"{")
    )
    (config,) = (blob["config"] for blob in blobs if "rootfs" in blob)
    handlers = [text for text in config["Env"] if text.startswith("FUNCTION_HANDLER=")]
    assert handlers == ["FUNCTION_HANDLER=src/app.handler"]


def test_many_publish_to_one_repository_at_once(publishing, images, tmp_path):
    def publish(number: int):
        folder = tmp_path / f"build-{number}"
        files = {"source/main.txt": f"code {number}", "packages/p": "package"}
        write_files(folder / "workspace", files)
        settings = publishing.settings(f"file://{images}", IMAGE_TAG=f"v{number}")
        return run("publish", folder, settings)

    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(publish, range(8)))
    assert [one.exit_code for one in ended] == [0] * 8
    assert check(images) == {
        f"v{number}": one.message["digest"] for number, one in enumerate(ended)
    }
    # One of them stored the dependency layer for all.
    assert sum(not one.message["layers"][0]["reused"] for one in ended) == 1


def test_kill_9_at_any_moment_leaves_a_whole_repository(publishing, images):
    publishing.publish(f"file://{images}")
    for attempt in range(12):
        publishing.write({"source/main.txt": f"attempt {attempt}" * 1000})
        settings = publishing.settings(f"file://{images}", IMAGE_TAG=f"a{attempt}")
        process = start("publish", publishing.folder, settings)
        time.sleep(0.04 + attempt * 0.008)
        process.kill()
        finish(process, publishing.folder)
        assert "v1" in check(images)
    result = publishing.publish(f"file://{images}", IMAGE_TAG="after")
    assert check(images)["after"] == result["digest"]


def test_what_foreign_code_left_in_the_workspace_is_not_followed(publishing, images, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (publishing.folder / "workspace/packages/p/link").symlink_to(tmp_path / "secret")
    ended = publishing.run(f"file://{images}")
    assert "p/link" in assert_failed(ended, 1, "UnsupportedFile")
    assert not images.exists()


def test_a_packages_folder_that_became_a_link_is_refused(publishing, images, tmp_path):
    (publishing.folder / "workspace/packages").rename(tmp_path / "elsewhere")
    (publishing.folder / "workspace/packages").symlink_to(tmp_path / "elsewhere")
    assert_failed(publishing.run(f"file://{images}"), 75, "BuildMissing")


def test_a_lock_that_became_a_link_is_left_out(publishing, images, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (publishing.folder / "workspace/lock.txt").symlink_to(tmp_path / "secret")
    first = publishing.publish(f"file://{images}")
    (publishing.folder / "workspace/lock.txt").unlink()
    assert publishing.publish(f"file://{images}")["digest"] == first["digest"]


def test_a_base_image_that_is_missing_is_the_platform_s_trouble(publishing, images, tmp_path):
    base = f"file://{tmp_path}/nowhere@sha256:{'0' * 64}"
    assert_failed(publishing.run(f"file://{images}", BASE_IMAGE_URL=base), 75, "ImageNotFound")


def test_base_images_are_made_from_the_command_line(publishing, tmp_path):
    command = [sys.executable, "-m", "lambda_builder.base_image", "--runtime", "tiny1.0"]
    command += ["--runtimes-dir", str(tmp_path / "runtimes")]
    command += ["--repository-url", f"file://{tmp_path}/base"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == publishing.base
    command[4] = "cobol60"
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("UnsupportedRuntime: ")
