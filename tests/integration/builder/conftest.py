"""Registries and workspaces that are ready to be published."""

from __future__ import annotations

import pytest

from tests.helpers.publishing import HOW, Publishing
from tests.helpers.registries import PASSWORD_FILE, start_registry


def _registry(require_server, folder, auth=""):
    registry, process = start_registry(require_server("docker-registry", HOW), folder, auth)
    yield registry
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def registry(require_server, tmp_path_factory):
    """A registry for everybody."""
    yield from _registry(require_server, tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def password_registry(require_server, tmp_path_factory):
    """A registry that asks for a password."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "htpasswd").write_text(PASSWORD_FILE)
    auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    yield from _registry(require_server, folder, auth)


@pytest.fixture
def publishing(tmp_path):
    return Publishing(tmp_path)
