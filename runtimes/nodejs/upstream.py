"""Reads from the index and from allowed addresses, as the settings of this machine say."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3.response import BaseHTTPResponse

_REDIRECTIONS = 5
_TIMEOUT = urllib3.Timeout(connect=15, read=60)


class NotFetchedError(Exception):
    """Nothing came, or a redirection led where it may not lead."""


@dataclass(frozen=True)
class Upstream:
    """Connections that are kept while an installation runs; safe for threads."""

    manager_of: Callable[[str], urllib3.PoolManager]

    @classmethod
    def open(cls, values: Mapping[str, Any], environment: Mapping[str, str]) -> Upstream:
        """With npm's settings of certificates and proxies, and the machine's own."""
        context = _context(values, environment)
        proxies = getproxies()
        for scheme, name in (("http", "proxy"), ("https", "https-proxy")):
            if isinstance(values.get(name), str):
                proxies[scheme] = values[name]
        managers: dict[str, urllib3.PoolManager] = {}
        arguments: dict[str, Any] = {"maxsize": 16, "ssl_context": context, "timeout": _TIMEOUT}
        for scheme in ("http", "https"):
            proxy = proxies.get(scheme) or proxies.get("all")
            managers[scheme] = (
                urllib3.ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **arguments)
                if proxy and urlsplit(proxy).scheme in {"http", "https"}
                else urllib3.PoolManager(**arguments)
            )
        direct = urllib3.PoolManager(**arguments)

        def manager_of(url: str) -> urllib3.PoolManager:
            parts = urlsplit(url)
            return direct if proxy_bypass(parts.hostname or "") else managers[parts.scheme]

        return cls(manager_of)

    def get(
        self,
        url: str,
        *,
        headers: Callable[[str], Mapping[str, str]],
        may_follow: Callable[[str], bool],
    ) -> BaseHTTPResponse:
        """The response, to be read; `headers` are those of each address on the way."""
        for _ in range(_REDIRECTIONS + 1):
            try:
                response = self.manager_of(url).request(
                    "GET",
                    url,
                    headers=dict(headers(url)),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
                raise NotFetchedError(type(error).__name__) from error
            location = response.headers.get("location")
            if response.status not in {301, 302, 303, 307, 308} or location is None:
                return response
            response.close()
            try:
                url = urljoin(url, location)
                is_allowed = may_follow(url)
            except ValueError:
                is_allowed = False
            if not is_allowed:
                raise NotFetchedError("it redirects to an address that is not allowed")
        raise NotFetchedError("it redirects in circles")


def _context(values: Mapping[str, Any], environment: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    files = [environment.get("NODE_EXTRA_CA_CERTS"), values.get("cafile")]
    for file in files:
        if isinstance(file, str) and Path(file).is_file():
            context.load_verify_locations(cafile=file)
    authorities = values.get("ca")
    for text in [authorities] if isinstance(authorities, str) else authorities or ():
        if isinstance(text, str) and text:
            context.load_verify_locations(cadata=text.replace("\\n", "\n"))
    if values.get("strict-ssl") is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy_headers(proxy: str) -> Mapping[str, str]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    return urllib3.make_headers(proxy_basic_auth=f"{parts.username}:{parts.password or ''}")
