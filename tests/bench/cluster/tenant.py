"""A tenant of its own for what is measured, gone afterwards."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.cluster.starts import NAMESPACE
from tests.bench.functions import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cluster.access import MeasuredCluster

_PATH = f"/api/v1/namespaces/{NAMESPACE}"
_PATIENCE_SECONDS = 180.0


@contextmanager
def own_tenant(cluster: MeasuredCluster) -> Iterator[None]:
    """Make the tenant, as config/tenants/default is made."""
    _remove(cluster)  # one that a run before left
    component = os.path.relpath(REPOSITORY / "config" / "components" / "tenant", "/")
    with tempfile.TemporaryDirectory() as folder:
        up = "../" * len(Path(folder).resolve().parts[1:])
        lines = [
            "apiVersion: kustomize.config.k8s.io/v1beta1",
            "kind: Kustomization",
            f"namespace: {NAMESPACE}",
            f"components: [{up}{component}]",
        ]
        Path(folder, "kustomization.yaml").write_text("\n".join(lines) + "\n")
        # Its Broker and policies are made after the namespace, which kubectl sorts to the front.
        subprocess.run(["kubectl", "apply", "-k", folder], check=True, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        _remove(cluster)


def _remove(cluster: MeasuredCluster) -> None:
    cluster.api.delete(_PATH)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while cluster.api.get(_PATH):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{NAMESPACE} is not gone")
        time.sleep(0.5)
