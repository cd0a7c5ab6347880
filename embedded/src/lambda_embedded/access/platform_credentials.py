"""How the Broker and the sources show the platform's other ports that they are the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable


class PlatformCredentials:
    """The platform's token, for the platform's own addresses and no others."""

    def __init__(self, token: str, urls: Iterable[str]) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self._places = {_place(url) for url in urls}

    def headers(self, url: str) -> dict[str, str]:
        """Return what a request to a URL has to show."""
        return self._headers if _place(url) in self._places else {}


def _place(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme, parts.netloc
