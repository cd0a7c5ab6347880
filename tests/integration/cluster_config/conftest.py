"""A real API server that has Knative's kinds and what `kubectl apply -k` makes of an overlay."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.helpers.api_server import KINDS, REPOSITORY, running_api_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.api_server import ApiServer

OVERLAY = REPOSITORY / "config" / "overlays" / "production"


@pytest.fixture(scope="session")
def kubectl(require_server) -> str:
    return require_server("kubectl", "apt-get install kubernetes-client")


@pytest.fixture(scope="session")
def render(kubectl):
    """All objects of an overlay, as the real kustomize makes them."""

    def objects(overlay: str) -> list[dict]:
        folder = str(REPOSITORY / "config" / "overlays" / overlay)
        answer = subprocess.run([kubectl, "kustomize", folder], capture_output=True, check=True)
        return list(yaml.safe_load_all(answer.stdout))

    return objects


@pytest.fixture(scope="module")
def api_server(kubectl, api_server_binaries, tmp_path_factory) -> Iterator[ApiServer]:
    binaries, folder = api_server_binaries, tmp_path_factory.mktemp("api-server")
    with running_api_server(binaries.etcd, binaries.api_server, kubectl, folder) as server:
        server.run("apply", "--server-side", "-f", str(binaries.definitions))
        server.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        yield server


@pytest.fixture(scope="module")
def installed(api_server) -> ApiServer:
    """The server after an operator's commands; the first is given twice, for the definitions."""
    api_server.run("apply", "-k", str(OVERLAY))
    definition = "crd/lambdafunctions.knative-lambda.dev"
    api_server.run("wait", "--for=condition=Established", definition)
    api_server.await_kinds(*KINDS)
    kn_lambda(api_server, "tenant", "add", "default", "--adopt")
    return api_server


def kn_lambda(server: ApiServer, *arguments: str) -> str:
    """Run the command line as an operator does, and return what it prints."""
    environment = {
        "KUBECONFIG": str(server.kubeconfig),
        "KN_LAMBDA_HOME": str(server.folder / "no-embedded-platform"),
        "PATH": os.defpath,
    }
    command = [sys.executable, "-m", "kn_lambda", *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
