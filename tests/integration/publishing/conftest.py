"""Registries, and images that are ready to be published."""

from __future__ import annotations

import pytest

from tests.helpers.publishing import HOW, Publishing
from tests.helpers.registries import running_registry


@pytest.fixture(scope="module")
def registry(require_server, tmp_path_factory):
    """A registry for everybody."""
    program = require_server("docker-registry", HOW)
    with running_registry(program, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def publishing(tmp_path):
    return Publishing(tmp_path)
