"""Every Kubernetes API that the ports' promises are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.platforms import fake_platform, kubernetes_platform
from tests.integration.embedded_api.conftest import RunningApi

if TYPE_CHECKING:
    from pathlib import Path

# A real kube-apiserver is one more of these, with a fixture that gives kubeconfig and write_log.
KUBERNETES_APIS = ["embedded"]


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
