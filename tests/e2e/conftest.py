"""The cluster under test: the one that the environment names, with Knative Lambda on it."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.e2e.helpers.mutations import mutate_jobs, mutate_pods
from tests.e2e.helpers.recorder import Recorder
from tests.helpers.cluster import CHECKOUT, SERVICES, Cluster
from tests.helpers.gated_wheel import CLUSTER_PORT, gate_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.helpers.mutations import Mutations
    from tests.helpers.gated_wheel import GatedWheel

_NEEDED = (
    "KUBECONFIG",
    "TESTBED_STORAGE_URL",
    "TESTBED_STORAGE_ACCESS_KEY",
    "TESTBED_STORAGE_SECRET_KEY",
    "TESTBED_KOURIER_URL",
    "TESTBED_BROKER_URL",
)

_OPTIONAL = (
    "TESTBED_AUDIT_LOG",
    "TESTBED_HOST_ADDRESS",
    "TESTBED_REGISTRY",
    "TESTBED_STATE",
    "TESTBED_UPGRADE",
)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    known = dict(os.environ)  # noqa: TID251 # how the cluster of a test run is named
    missing = [name for name in _NEEDED if name not in known]
    if missing:
        pytest.fail(f"{', '.join(missing)} not set: run these tests by `make e2e`")
    wanted = (*_NEEDED, *_OPTIONAL)
    return Cluster({name: known[name] for name in wanted if name in known})


@pytest.fixture(scope="session")
def host_address(cluster: Cluster) -> str:
    """An address of this machine that Pods and the API server reach."""
    address = cluster.environment.get("TESTBED_HOST_ADDRESS")
    if address is None:
        pytest.skip("TESTBED_HOST_ADDRESS is not set: no way from the cluster to this machine")
    return address


@pytest.fixture(scope="session")
def job_mutations(cluster: Cluster, host_address: str) -> Iterator[Mutations]:
    """Changes what build Jobs say, as they are made."""
    with mutate_jobs(cluster, host_address) as mutations:
        yield mutations


@pytest.fixture
def pod_mutations(cluster: Cluster, host_address: str) -> Iterator[Mutations]:
    """Changes what Pods of lambdas say, as they are made."""
    with mutate_pods(cluster, host_address) as mutations:
        yield mutations


@pytest.fixture
def gate(host_address: str) -> Iterator[GatedWheel]:
    """A package that a build has to wait for until the test opens the gate."""
    with gate_server(host_address, CLUSTER_PORT) as server, server.gate() as waiting:
        yield waiting


@pytest.fixture(scope="session")
def recorder(cluster: Cluster) -> Iterator[Recorder]:
    """Remembers the events of both Brokers while tests run."""
    recording = Recorder(cluster)
    recording.start()
    yield recording
    recording.stop()


@pytest.fixture
def unique_name(cluster: Cluster) -> Iterator[str]:
    """A name that no other test uses, nor one of an earlier run on the same cluster."""
    name = f"fn-{uuid.uuid4().hex[:8]}"
    yield name
    # Pods that do not start stay for ten minutes, and would need the room of the next tests.
    for service in cluster.api.list(SERVICES):
        function = service["metadata"]["name"]
        if not function.startswith(name):
            continue
        if cluster.triggers_of(function):
            # A Trigger that has lost its Service refuses every event, so that all senders wait.
            assert cluster.kn_lambda("delete", function).returncode == 0
        else:
            cluster.api.delete(f"{SERVICES}/{function}")


@pytest.fixture
def examples() -> Path:
    return CHECKOUT / "examples"


@pytest.fixture
def write_function(tmp_path: Path) -> Callable[..., Path]:
    """`write_function(main_py="...", requirements="...")` is the folder of a Python function."""

    def write(main_py: str, *, requirements: str = "") -> Path:
        folder = tmp_path / "function"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(main_py)
        if requirements:
            (folder / "requirements.txt").write_text(requirements)
        return folder

    return write
