"""Requests to a Kubernetes API, over connections that are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3

from knative_lambda.adapters.kubernetes.errors import error_of, object_of, translated
from lambda_oci.proxies import proxy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from knative_lambda.adapters.kubernetes.connection import Connection

_CONNECT_SECONDS = 3
_KEPT_CONNECTIONS = 10
_OK = range(200, 300)


class Transport:
    """Verifies the server, follows no redirect and retries nothing: the Broker does that."""

    def __init__(self, connection: Connection, *, pool: urllib3.PoolManager | None = None) -> None:
        self._connection = connection
        self._pool = pool or _pool(connection)

    def authorized_by(self, authorization: Callable[[], str | None]) -> Transport:
        """Return one that sends this header instead, over the same connections."""
        connection = replace(self._connection, authorization=authorization)
        return Transport(connection, pool=self._pool)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        read_seconds: float | None,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        in_pieces: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Return a successful response, its content unread if `in_pieces`, or raise our errors."""
        what = object_of(path)
        with translated(what):
            authorization = self._connection.authorization()
            proof = {} if authorization is None else {"Authorization": authorization}
            response = self._pool.request(
                method,
                f"{self._connection.server}{path}{'?' if query else ''}{urlencode(query or {})}",
                headers={"User-Agent": "knative-lambda", **headers, **proof},
                body=body,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds),
                retries=False,
                redirect=False,
                preload_content=not in_pieces,
            )
            if response.status not in _OK:
                raise error_of(what, response)
        return response

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.clear()


def _pool(connection: Connection) -> urllib3.PoolManager:
    arguments: dict[str, Any] = {
        "maxsize": _KEPT_CONNECTIONS,
        "cert_reqs": "CERT_REQUIRED",
        **connection.tls,
    }
    proxy = proxy_for(connection.server)
    return urllib3.ProxyManager(proxy, **arguments) if proxy else urllib3.PoolManager(**arguments)
