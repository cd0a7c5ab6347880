"""The addresses of the hosts that sources may come from."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import SourceUnavailableError, UnsupportedSourceError
from knative_lambda.domain.source_hosts import HTTPS_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.source_hosts import SourceHosts

    Resolve = Callable[[str, int], list[str]]


class AllowedHosts:
    """Resolves names, and checks every address that comes of it."""

    def __init__(self, hosts: SourceHosts, *, resolve: Resolve | None = None) -> None:
        self._hosts = hosts
        self._resolve = resolve or _resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to; `UnsupportedSourceError` if one of them is not."""
        shown = host if port == HTTPS_PORT else f"{host}:{port}"
        if (host, port) not in self._hosts:
            raise UnsupportedSourceError(
                f"sources may not come from {shown[:200]}: the operator lists hosts in"
                " KN_LAMBDA_SOURCE_HOSTS",
                field="source.uri",
            )
        found = self._resolve(host, port)
        if not found:
            raise SourceUnavailableError(f"the name {shown} is not known", field="source.uri")
        if not all(self._hosts.may_be_at(host, port, address) for address in found):
            raise UnsupportedSourceError(
                f"{shown} is not at an address where sources may come from: the operator lists"
                " internal hosts as host=network in KN_LAMBDA_SOURCE_HOSTS",
                field="source.uri",
            )
        return found


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
