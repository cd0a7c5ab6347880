"""Addresses of Services inside a cluster, and their path through the Kubernetes API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_MARK = "svc"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceAddress:
    """Parts of the URL of a Kubernetes Service: `http://<name>.<namespace>.svc[.<domain>]/path`."""

    scheme: str
    name: str
    namespace: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Self | None:
        """Return the parts of a Service's URL, or None for any other URL.

        Whoever may write the status of a Broker chooses it: it must not lead the user's request to
        another path of the Kubernetes API, where it would be sent with the user's permissions.
        """
        parts = urlsplit(url)
        labels = (parts.hostname or "").split(".")
        if labels[2:3] != [_MARK] or parts.scheme not in _PORTS:
            return None
        name, namespace = labels[:2]
        is_inside = all(map(_LABEL.fullmatch, (name, namespace)))
        if not is_inside or {".", ".."} & set(parts.path.split("/")):
            return None
        port = parts.port or _PORTS[parts.scheme]
        return cls(
            scheme=parts.scheme, name=name, namespace=namespace, port=port, path=parts.path or "/"
        )

    @property
    def proxy_path(self) -> str:
        """The path at which the Kubernetes API forwards requests; needs `services/proxy`."""
        service = f"{self.scheme}:{self.name}:{self.port}"
        return f"/api/v1/namespaces/{self.namespace}/services/{service}/proxy{self.path}"
