"""Images reach a real registry, where other programs find them."""

from __future__ import annotations

import json
import subprocess
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.publishing import HOW, PACKAGES_TAG, Publishing


@pytest.fixture
def repository(registry):
    return f"{registry.url}/tenant/{uuid.uuid4().hex}"


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
    publishing.keep(repository)
    digest = publishing.publish(repository, packages_tag=PACKAGES_TAG)
    pull(require_server("skopeo", HOW), repository, digest, tmp_path / "pulled")
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


def test_kept_packages_are_an_image_to_the_registry_s_own_tools(
    publishing, repository, require_server
):
    publishing.keep(repository)
    skopeo = require_server("skopeo", HOW)
    name = repository.removeprefix("http://")
    done = subprocess.run(
        [skopeo, "inspect", "--tls-verify=false", f"docker://{name}:{PACKAGES_TAG}"],
        capture_output=True,
        check=True,
    )
    assert len(json.loads(done.stdout)["Layers"]) == 1


def test_the_registry_s_own_tools_see_tag_and_labels(publishing, repository, require_server):
    digest = publishing.publish(repository, "b-123")
    skopeo = require_server("skopeo", HOW)
    name = repository.removeprefix("http://")
    done = subprocess.run(
        [skopeo, "inspect", "--tls-verify=false", f"docker://{name}:b-123"],
        capture_output=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["Digest"] == digest
    assert seen["Labels"] == {"dev.knative-lambda.runtime": "tiny1.0"}
    assert len(seen["Layers"]) == 2


def test_an_image_of_a_registry_can_be_the_base_of_one_in_a_folder(
    publishing, repository, tmp_path
):
    publishing.base = f"{repository}@{publishing.publish(repository)}"
    digest = publishing.publish(f"file://{tmp_path}/images/fn")
    blobs = tmp_path / "images/fn/blobs/sha256"
    assert (blobs / digest.removeprefix("sha256:")).exists()
    # The two layers of the base, of which one is the code's, config and manifest.
    assert len(list(blobs.iterdir())) == 4


@pytest.mark.parametrize("attempt", range(10))
def test_deliveries_of_one_event_at_once_make_one_image(registry, tmp_path, attempt):
    """distribution forgets a blob for as long as somebody else writes the same one down again."""
    repository = f"{registry.url}/tenant/{uuid.uuid4().hex}"
    deliveries = 4
    together = threading.Barrier(deliveries)

    def deliver(number: int) -> str:
        publishing = Publishing(tmp_path / str(number))
        together.wait()
        publishing.keep(repository)
        return publishing.publish(repository, packages_tag=PACKAGES_TAG)

    with ThreadPoolExecutor(deliveries) as pool:
        assert len(set(pool.map(deliver, range(deliveries)))) == 1
