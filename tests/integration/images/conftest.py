"""Images assembled from this machine's Debian packages and pushed to a registry, once a session."""

from __future__ import annotations

import os

import pytest

from tests.helpers.registries import running_registry
from tests.integration.images.helpers.assembling import assemble, new_cache
from tests.integration.images.helpers.container import unpack

HOW = "apt-get install docker-registry skopeo umoci util-linux"
NAMES = ("delete", "builder", "python3.11")


@pytest.fixture(scope="session")
def registry(require_server, tmp_path_factory):
    require_server("apt-get", "a Debian or Ubuntu machine")
    program = require_server("docker-registry", HOW)
    with running_registry(program, tmp_path_factory.mktemp("images-registry")) as registry:
        yield registry


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return new_cache(tmp_path_factory.mktemp("images") / "cache")


@pytest.fixture(scope="session")
def references(registry, cache):
    return assemble(registry, cache, *NAMES)


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
