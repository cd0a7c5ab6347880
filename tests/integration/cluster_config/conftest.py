"""A real API server that has Knative's kinds and what `kubectl apply -k` makes of an overlay."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.integration.cluster_config.api_server import (
    REPOSITORY,
    running_api_server,
    testbed_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.cluster_config.api_server import ApiServer

_KINDS = (
    "knative-lambda.dev/v1alpha1/lambdafunctions",
    "serving.knative.dev/v1/services",
    "serving.knative.dev/v1/revisions",
    "eventing.knative.dev/v1/triggers",
)
OVERLAY = REPOSITORY / "config" / "overlays" / "production"
_WHY = "the testbed has not built it on this machine; `make cluster` does (root, half an hour)"


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
def api_server(kubectl, tmp_path_factory) -> Iterator[ApiServer]:
    # An own skip, not require_server: CI does not build the testbed yet.
    etcd = testbed_file("component_folder etcd", "go.etcd.io/etcd/server/v3")
    program = testbed_file("component_folder kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver")
    definitions = testbed_file("manifests_folder", "1-definitions.yaml")
    for file, what in ((etcd, "etcd"), (program, "kube-apiserver"), (definitions, "Knative")):
        if file is None:
            pytest.skip(f"{what}: {_WHY}")
    folder = tmp_path_factory.mktemp("api-server")
    with ExitStack() as stack:
        server = stack.enter_context(running_api_server(etcd, program, kubectl, folder))
        server.run("apply", "--server-side", "-f", str(definitions))
        server.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        yield server


@pytest.fixture(scope="module")
def installed(api_server) -> ApiServer:
    """The server after an operator's one command, given twice: the first makes the definitions."""
    api_server.run("apply", "-k", str(OVERLAY))
    definition = "crd/lambdafunctions.knative-lambda.dev"
    api_server.run("wait", "--for=condition=Established", definition)
    for kind in _KINDS:
        _wait_until_served(api_server, kind)
    return api_server


def _wait_until_served(server: ApiServer, kind: str) -> None:
    """A kind that is new is answered with 429 until its cache is there."""
    deadline = time.monotonic() + 60
    while server.request("GET", f"/apis/{kind}")[0] != HTTPStatus.OK:
        assert time.monotonic() < deadline, f"{kind} is never served"
        time.sleep(0.2)
