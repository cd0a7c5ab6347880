"""Where a Kubernetes API is, and how a caller authenticates."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
_SERVICE_PORT = "KUBERNETES_SERVICE_PORT"


def no_credentials() -> None:
    """Send no Authorization header: the caller has a client certificate, or is anonymous."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """`authorization` returns the header of that name and is called for every request."""

    server: str
    tls: Mapping[str, Any] = field(default_factory=dict)  # as urllib3 names them
    authorization: Callable[[], str | None] = no_credentials


def pod_connection(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Connection:
    """Connect as the Pod's service account; raises where a part of it is missing or empty."""
    token, authority = folder / "token", folder / "ca.crt"
    bearer_of(token)
    if not authority.stat().st_size:
        raise ValueError(f"{authority} is empty")
    return Connection(
        server=server_of(environment),
        tls={"ca_certs": str(authority)},
        authorization=partial(bearer_of, token),
    )


def server_of(environment: Mapping[str, str]) -> str:
    """Return the address of the API, as a Pod is told it."""
    host, port = environment[SERVICE_HOST], environment[_SERVICE_PORT]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def bearer(token: str) -> str:
    """Return the header for a token."""
    return f"Bearer {token}"


def bearer_of(token_file: Path) -> str:
    """Return the header for the token in a file, which is read each time because it is rotated."""
    if not (token := token_file.read_text().strip()):
        raise ValueError(f"{token_file} is empty")
    return bearer(token)
