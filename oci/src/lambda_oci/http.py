"""HTTP connections with timeouts, the machine's certificates and the machine's proxies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as HTTPTimeoutError,
)
from urllib3.util import make_headers, parse_url

from lambda_oci.errors import UnavailableError
from lambda_oci.proxies import proxy_for

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Timeouts and retries of a client."""

    connect_seconds: float
    read_seconds: float
    redirects: int
    tries: int
    first_pause_seconds: float
    """Before the second try; each further pause is twice as long."""
    longest_retry_after_seconds: float
    """The longest pause that a server's Retry-After can demand."""
    waits_when_throttled: bool
    """Whether a request is retried after "too many requests"."""


# A build has minutes, and is not retried as a whole.
OF_A_BUILD = Patience(
    connect_seconds=5,
    read_seconds=60,
    redirects=5,
    tries=5,
    first_pause_seconds=0.25,
    longest_retry_after_seconds=10,
    waits_when_throttled=True,
)
# A Broker waits for the response to its event, and delivers the event again after a 503.
OF_AN_EVENT = Patience(
    connect_seconds=3,
    read_seconds=10,
    redirects=2,
    tries=3,
    first_pause_seconds=0.1,
    longest_retry_after_seconds=0,
    waits_when_throttled=False,
)


def connection_pool(url: str, patience: Patience = OF_A_BUILD) -> PoolManager:
    """Connections for one URL's host, through the proxy that the environment names for it."""
    timeout = urllib3.Timeout(connect=patience.connect_seconds, read=patience.read_seconds)
    # Registries redirect to their storage. All other retries are left to the caller, who knows
    # whether a request may be sent twice.
    retries = urllib3.Retry(
        total=None,
        connect=0,
        read=0,
        status=0,
        other=0,
        redirect=patience.redirects,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    # urllib3 reads SSL_CERT_FILE by way of OpenSSL, but not the variable other clients share.
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")  # noqa: TID251 - a setting of the machine, not ours
    if (proxy := proxy_for(url)) is None:
        return urllib3.PoolManager(timeout=timeout, retries=retries, ca_certs=bundle)
    try:
        parts = parse_url(proxy if "://" in proxy else f"http://{proxy}")
        password = make_headers(proxy_basic_auth=unquote(parts.auth)) if parts.auth else None
        return urllib3.ProxyManager(
            parts.url, proxy_headers=password, timeout=timeout, retries=retries, ca_certs=bundle
        )
    except LocationValueError:
        name = f"{urlsplit(url).scheme.upper()}_PROXY"
        message = f"{name} is not the URL of an HTTP proxy"
        raise UnavailableError("InvalidSettings", message) from None


def read_all(response: BaseHTTPResponse, max_bytes: int) -> bytes | None:
    """The body, or None where it is longer; the connection can be used again."""
    content = bytearray()
    for chunk in response.stream(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            response.close()
            return None
    response.release_conn()
    return bytes(content)


def explain(error: HTTPError | ValueError) -> str:
    """What went wrong, without the URL, which may be a secret.

    A redirect to an invalid URL is a `ValueError`.
    """
    reason = error.reason if isinstance(error, MaxRetryError) else error
    if isinstance(reason, ValueError):
        return "it names an invalid URL"
    if isinstance(reason, NameResolutionError):
        return "the host's name is not known"
    if isinstance(reason, SSLError):
        return "the certificate is not trusted (SSL_CERT_FILE names trusted ones)"
    if isinstance(reason, NewConnectionError):
        return "no connection"
    if isinstance(reason, HTTPTimeoutError):
        return "no response in time"
    return "the connection broke"
