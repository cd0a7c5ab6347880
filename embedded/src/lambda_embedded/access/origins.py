"""Web pages that may use the platform: its own, and the allowed ones.

https://fetch.spec.whatwg.org/#http-cors-protocol and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_READS = frozenset({"GET", "HEAD"})


class InvalidOriginError(ValueError):
    """The value of `--allow-origin` is not an origin."""


def parse_allowed_origin(text: str) -> str:
    """Return an origin as browsers write it; `*` and `null`, which fit any page, are rejected."""
    origin = text.lower().removesuffix("/")
    if not _ORIGIN.fullmatch(origin):
        raise InvalidOriginError(
            f"{text!r} is not an origin: give scheme, host and port as the browser shows"
            " them, such as http://localhost:3000"
        )
    scheme = origin.partition(":")[0]
    return origin.removesuffix(_DEFAULT_PORTS[scheme])


def page_of(method: str, headers: Mapping[str, str]) -> str | None:
    """Return the origin of the page that sends a request; None where no foreign page can have.

    Programs say nothing. Browsers name the origin, but not where a page shows an image or asks
    without wanting to read; then they still say that it is a foreign one, or over plain HTTP to
    another name than `localhost` at least where they come from, unless the page forbids it.
    """
    origin = headers.get("Origin")
    if origin is not None:
        return origin.lower()
    site = headers.get("Sec-Fetch-Site")
    if site in {"none", "same-origin"} or _is_link(method, headers):
        return None
    return _referrer(headers) or (None if site is None else "null")


def is_same(origin: str, authority: str) -> bool:
    """Return whether a page comes from the host that it calls.

    The scheme is not compared: a tunnel may have spoken TLS before us.
    """
    scheme, _, place = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    return default is not None and place == authority.lower().removesuffix(default)


def _referrer(headers: Mapping[str, str]) -> str | None:
    try:
        referrer = urlsplit(headers.get("Referer", ""))
    except ValueError:
        return None
    return f"{referrer.scheme}://{referrer.netloc}".lower() if referrer.netloc else None


def _is_link(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a person follows a link: the linking page sees nothing of the response."""
    return (
        method in _READS
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )
