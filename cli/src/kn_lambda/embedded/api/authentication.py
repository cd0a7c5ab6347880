"""Who may use the API: holders of the data folder's token, from this machine, by its own name."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from kn_lambda.embedded.api.errors import ApiError

if TYPE_CHECKING:
    from aiohttp import web

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HEALTH_PATHS = frozenset({"/healthz", "/livez", "/readyz"})


def authenticate(request: web.Request, token: str) -> None:
    """`ApiError` 403 for a foreign host name, 401 without the token; health needs no token."""
    # A web page may make its own host name resolve to 127.0.0.1; it cannot change the Host header.
    if _host_name(request.host) not in _LOOPBACK:
        raise ApiError(HTTPStatus.FORBIDDEN, "the Host header must name a loopback address")
    if request.path in HEALTH_PATHS:
        return
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(
        credential.strip().encode("utf-8", "surrogateescape"), token.encode()
    )
    if scheme.lower() != "bearer" or not same:
        raise ApiError(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
