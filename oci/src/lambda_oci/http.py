"""HTTP connections with timeouts, the machine's certificates and the machine's proxies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as HTTPTimeoutError,
)

if TYPE_CHECKING:
    from urllib3 import PoolManager

_TIMEOUT = urllib3.Timeout(connect=5, read=60)
# Storage behind a registry is reached by redirect. Every other kind of retry is the caller's, who
# knows whether a request may be sent twice.
_REDIRECTS = urllib3.Retry(
    total=None, connect=0, read=0, status=0, other=0, redirect=5, raise_on_status=False
)


def connection_pool(url: str) -> PoolManager:
    """Connections for one URL's host, through the proxy that the environment names for it."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    # urllib3 reads SSL_CERT_FILE by way of OpenSSL, but not the variable other clients share.
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")  # noqa: TID251 - a setting of the machine, not ours
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, timeout=_TIMEOUT, retries=_REDIRECTS, ca_certs=bundle)
    return urllib3.PoolManager(timeout=_TIMEOUT, retries=_REDIRECTS, ca_certs=bundle)


def explain(error: HTTPError) -> str:
    """What went wrong, without the URL, which may be a secret."""
    reason = error.reason if isinstance(error, MaxRetryError) else error
    if isinstance(reason, NameResolutionError):
        return "the host's name is not known"
    if isinstance(reason, SSLError):
        return "the certificate is not trusted (SSL_CERT_FILE names trusted ones)"
    if isinstance(reason, NewConnectionError):
        return "no connection"
    if isinstance(reason, HTTPTimeoutError):
        return "no answer in time"
    return "the connection broke"
