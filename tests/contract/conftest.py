"""Every Kubernetes API that the ports' contracts are proven on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.helpers.kubernetes_apis import KUBERNETES_APIS
from tests.helpers.api_server import KINDS, REPOSITORY, running_api_server
from tests.helpers.platforms import fake_platform, kubernetes_platform
from tests.helpers.publishing import HOW
from tests.helpers.registries import running_password_registry, running_registry
from tests.helpers.running_api import RunningApi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def embedded_api(tmp_path_factory):
    """kubeconfig of the embedded platform's API, and how its containers write logs."""
    api = RunningApi(tmp_path_factory.mktemp("platform"))
    api.start()

    def write_log(namespace: str, pod: str, container: str, text: str) -> None:
        folder: Path = api.folder / "pods" / namespace / pod
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{container}.log").write_text(text)

    yield api.kubeconfig, write_log
    api.stop()


@pytest.fixture(scope="session")
def real_api(require_server, api_server_binaries, tmp_path_factory):
    """The same of a real kube-apiserver; it has no kubelet, so nobody writes logs."""
    kubectl = require_server("kubectl", "apt-get install kubernetes-client")
    binaries, folder = api_server_binaries, tmp_path_factory.mktemp("api-server")
    # Nobody makes the account of a new namespace, without which no Pod is taken.
    options = ["--disable-admission-plugins=ServiceAccount"]
    with running_api_server(
        binaries.etcd, binaries.api_server, kubectl, folder, *options
    ) as server:
        for file in (binaries.definitions, REPOSITORY / "config/base/lambda-function.yaml"):
            server.run("apply", "--server-side", "-f", str(file))
        server.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        server.await_kinds(*KINDS)
        yield server.kubeconfig, lambda *_: pytest.skip("a log needs a kubelet")


@pytest.fixture(scope="module")
def docker_registry(require_server, tmp_path_factory):
    program = require_server("docker-registry", HOW)
    with running_registry(program, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def password_registry(require_server, tmp_path_factory):
    program = require_server("docker-registry", HOW)
    with running_password_registry(program, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(params=KUBERNETES_APIS)
def kubernetes(request):
    """A namespace of its own in a Kubernetes API."""
    platform = kubernetes_platform(*request.getfixturevalue(f"{request.param}_api"))
    yield platform
    platform.hands.close()


@pytest.fixture(params=["fake", *KUBERNETES_APIS])
def platform(request):
    """The same, or the fakes."""
    if request.param == "fake":
        yield fake_platform()
        return
    made = kubernetes_platform(*request.getfixturevalue(f"{request.param}_api"))
    yield made
    made.hands.close()
