"""Who may use the API: holders of the data folder's token, from this machine, by its own name."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from kn_lambda.embedded.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    expected = token.encode()
    if not any(hmac.compare_digest(found, expected) for found in _credentials(request)):
        raise ApiError(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def _credentials(request: web.Request) -> Iterator[bytes]:
    """Yield the bearer token, and the password that kubectl sends to a proxy (see kubeconfig)."""
    for header, scheme in (("Authorization", "bearer"), ("Proxy-Authorization", "basic")):
        found, _, credential = request.headers.get(header, "").partition(" ")
        if found.lower() != scheme:
            continue
        value = credential.strip().encode("utf-8", "surrogateescape")
        if scheme == "basic":
            with contextlib.suppress(binascii.Error):
                yield base64.b64decode(value, validate=True).partition(b":")[2]
        else:
            yield value


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
