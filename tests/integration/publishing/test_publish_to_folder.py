"""Image repositories in folders stay whole, whoever writes at once and whoever is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.publishing import HOW, PACKAGES_TAG, Publishing


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
    digest = publishing.publish(f"file://{images}")
    skopeo = require_server("skopeo", HOW)
    done = subprocess.run([skopeo, "inspect", f"oci:{images}:v1"], capture_output=True, check=True)
    assert json.loads(done.stdout)["Digest"] == digest
    assert check(images) == {"v1": digest}


def test_base_layers_are_linked(publishing, images):
    publishing.publish(f"file://{images}")
    links = [blob.stat().st_nlink for blob in (images / "blobs/sha256").iterdir()]
    assert sorted(links) == [1, 1, 1, 2]


def test_many_publish_to_one_repository_at_once(images, tmp_path):
    def publish(number: int):
        publishing = Publishing(tmp_path / str(number))
        publishing.files = {"main.txt": f"code {number}"}
        publishing.keep(f"file://{images}")
        return publishing.publish(f"file://{images}", f"v{number}", packages_tag=PACKAGES_TAG)

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(publish, range(8)))
    tags = check(images)
    assert {f"v{number}": digest for number, digest in enumerate(digests)} | {
        PACKAGES_TAG: tags[PACKAGES_TAG]
    } == tags


@pytest.mark.parametrize("attempt", range(12))
def test_kill_9_at_any_moment_leaves_a_whole_repository(publishing, images, attempt):
    publishing.publish(f"file://{images}")
    publishing.files = {"main.txt": f"attempt {attempt}" * 1000}
    if (child := os.fork()) == 0:
        try:
            publishing.publish(f"file://{images}", "killed")
        finally:
            os._exit(0)
    time.sleep(attempt * 0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert "v1" in check(images)
    digest = publishing.publish(f"file://{images}", "after")
    assert check(images)["after"] == digest


def test_base_images_are_made_from_the_command_line(publishing, tmp_path):
    command = [sys.executable, "-I", "-m", "lambda_builder.base_image", "--runtime", "tiny1.0"]
    command += ["--runtimes-dir", str(tmp_path / "runtimes")]
    command += ["--repository-url", f"file://{tmp_path}/base"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == publishing.base
    command[5] = "cobol60"
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("UnsupportedRuntime: ")
