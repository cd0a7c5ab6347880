"""Packages that have to be built from their source, in the sandbox and without it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.inventory import tags
from tests.helpers.http_client import post_event
from tests.helpers.package_indexes import python_index, tarball

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

# A build backend of its own, which keeps in the package what it could do.
BACKEND = """
import os, socket, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    try:
        socket.create_connection(("127.0.0.1", {port}), timeout=5)
        network = "reached"
    except OSError as error:
        network = type(error).__name__
    given = sorted({{"CONTEXT_URL", "RESULT_URL", "PACKAGE_INDEX_CREDENTIALS"}} & set(os.environ))
    name = "homemade-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("homemade.py", f"SEEN = {{[network, given]!r}}\\n")
        archive.writestr("homemade-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\\nName: homemade\\nVersion: 1.0\\n")
        archive.writestr("homemade-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("homemade-1.0.dist-info/RECORD", "")
    return name
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "homemade"
version = "1.0"
"""
FUNCTION = {
    "main.py": "import homemade\n\ndef handler(event):\n    return homemade.SEEN\n",
    "requirements.txt": "homemade==1.0\n",
}
PLACES = pytest.mark.parametrize(
    "arguments", [(), ("--no-sandbox",)], ids=["in the sandbox", "without the sandbox"]
)


@pytest.fixture
def index() -> Iterator[str]:
    """An index that has the package as a source alone."""
    # A connection that nobody accepts still reaches whoever listens.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        backend = BACKEND.format(port=listener.getsockname()[1])
        files = {"pyproject.toml": PYPROJECT, "backend.py": backend}
        content = tarball({f"homemade-1.0/{name}": text for name, text in files.items()})
        with python_index(more={"homemade-1.0.tar.gz": content}) as url:
            yield url


@PLACES
def test_a_package_is_built_from_its_source_without_network_and_secrets(
    start_platform: Callable[..., EmbeddedPlatform], index: str, arguments: tuple[str, ...]
):
    platform = start_platform(
        *arguments,
        KN_LAMBDA_PACKAGE_INDEX_URL=index,
        KN_LAMBDA_ALLOW_SOURCE_PACKAGES="true",
    )
    platform.send_build_start("built", FUNCTION)

    platform.await_phase("built", "Ready")

    assert post_event(platform.url("built"), {}, type="t").data == ["PermissionError", []]
    assert tags(platform, "built") == ["build", "packages"]
    platform.await_settled()
    assert platform.processes("lambda_builder") == []


@PLACES
def test_code_of_a_package_does_not_run_where_source_packages_are_not_allowed(
    start_platform: Callable[..., EmbeddedPlatform], index: str, arguments: tuple[str, ...]
):
    platform = start_platform(*arguments, KN_LAMBDA_PACKAGE_INDEX_URL=index)
    platform.send_build_start("refused", FUNCTION)

    record = platform.await_phase("refused", "Failed")

    assert "homemade" in record["status"]["build"]["message"]
    assert tags(platform, "refused") == []
