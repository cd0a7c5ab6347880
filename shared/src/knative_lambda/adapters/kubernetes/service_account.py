"""The connection of a Pod, from what the kubelet gives it: two variables and a mounted folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.connection import Connection, bearer_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
_SERVICE_PORT = "KUBERNETES_SERVICE_PORT"


def pod_connection(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Connection:
    """Connect as the Pod's service account; raises where a part of it is missing or empty."""
    host, port = environment[SERVICE_HOST], environment[_SERVICE_PORT]
    token, authority = folder / "token", folder / "ca.crt"
    bearer_of(token)
    if not authority.stat().st_size:
        raise ValueError(f"{authority} is empty")
    return Connection(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        tls={"ca_certs": str(authority)},
        authorization=partial(bearer_of, token),
    )
