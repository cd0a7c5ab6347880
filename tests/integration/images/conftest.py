"""Images assembled from this machine's Debian packages and pushed to a registry, once a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.registries import start_registry
from tests.integration.images.helpers.container import unpack

HOW = "apt-get install docker-registry skopeo umoci util-linux"
CHECKOUT = Path(__file__).parents[3]
# Kept between runs as `make images` keeps it: 20 s of work that depends on package versions alone.
HOME = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"  # noqa: TID251 - a test's own
CACHE = Path(HOME) / "knative-lambda/images"
NAMES = ("delete", "builder", "python3.11")


def assemble(registry, cache, *names):
    """What `python -m images` prints."""
    arguments = ["--registry", f"{registry.host}/images", "--engine", "layers", "--cache", cache]
    command = [sys.executable, "-m", "images", *arguments, "--only", " ".join(names)]
    ended = subprocess.run(
        list(map(str, command)), cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="session")
def registry(require_server, tmp_path_factory):
    require_server("apt-get", "a Debian or Ubuntu machine")
    program = require_server("docker-registry", HOW)
    registry, process = start_registry(program, tmp_path_factory.mktemp("images-registry"))
    yield registry
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def references(registry):
    return assemble(registry, CACHE, *NAMES)


@pytest.fixture(scope="session")
def unpacked(references, require_server, tmp_path_factory):
    """`unpacked("delete")` is that image, in a folder."""
    skopeo, umoci = require_server("skopeo", HOW), require_server("umoci", HOW)
    require_server("unshare", HOW)
    if os.geteuid() != 0:
        pytest.skip("only root may mount what a container has")
    known = {}

    def unpack_once(name):
        if name not in known:
            known[name] = unpack(skopeo, umoci, references[name], tmp_path_factory.mktemp("image"))
        return known[name]

    return unpack_once
