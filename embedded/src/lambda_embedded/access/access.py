"""Whether a request is allowed: for a host name of this machine, and from no foreign page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from lambda_embedded.access.hosts import host_name, is_own, matches
from lambda_embedded.access.origins import is_same, page_of

if TYPE_CHECKING:
    from collections.abc import Callable

_BEARER = "Bearer "
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is denied; the message is for whoever sent it."""

    status: HTTPStatus
    reason: str
    message: str


NO_TOKEN = Denial(
    HTTPStatus.UNAUTHORIZED,
    "Unauthorized",
    "the platform's token is required, as `Authorization: Bearer TOKEN`: it is in the file `token`"
    " of the data folder, and kn-lambda sends it automatically",
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """The rules of one platform, for each of its ports."""

    token: str = field(repr=False)
    hosts: frozenset[str] = frozenset()
    """Names beside the machine's own, by `parse_allowed_host`."""
    origins: frozenset[str] = frozenset()
    """Pages from elsewhere, by `parse_allowed_origin`."""

    def denial(self, request: web.Request) -> Denial | None:
        """Return why a request is denied, with or without the token; None if it is allowed."""
        for authority in _authorities(request):
            if not self._takes(authority):
                return _foreign_host(authority)
        page = page_of(request.method, request.headers)
        if page is None or is_same(page, request.host) or page in self.origins:
            return None
        return _foreign_page(page)

    def holds_token(self, request: web.Request) -> bool:
        """Return whether the request has the token."""
        credential = request.headers.get(hdrs.AUTHORIZATION, "")
        if credential[: len(_BEARER)].title() != _BEARER:
            return False
        given = credential[len(_BEARER) :].strip().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self.token.encode())

    @cached_property
    def _takes(self) -> Callable[[str], bool]:
        # Called for each request, mostly with the same few names.
        return lru_cache(maxsize=256)(self._is_allowed)

    def _is_allowed(self, authority: str) -> bool:
        name = host_name(authority)
        if name is None:
            return False
        return is_own(name) or any(matches(name, allowed) for allowed in self.hosts)


def _authorities(request: web.Request) -> list[str]:
    """Return every host name of a request: HTTP/1.0 may have none, a request to a proxy two."""
    named = request.headers.get(hdrs.HOST, "")
    return [named] if request.raw_path.startswith("/") else [named, request.host]


def _foreign_host(authority: str) -> Denial:
    return Denial(
        HTTPStatus.FORBIDDEN,
        "HostNotAllowed",
        f"the host name {authority[:_SHOWN]!a} is not allowed: use 127.0.0.1 or localhost, or start"
        " the platform with --allow-host and that name",
    )


def _foreign_page(origin: str) -> Denial:
    return Denial(
        HTTPStatus.FORBIDDEN,
        "OriginNotAllowed",
        f"pages of {origin[:_SHOWN]!a} are not allowed: start the platform with --allow-origin and"
        " that origin to allow them",
    )
