"""Addresses on the network, in the one form in which they are compared, fetched and shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit

_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
_PRINTABLE = re.compile(r"[!-~]+")
_HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class Address:
    """An https address without user, and without any other way to write the same path."""

    host: str
    port: int
    segments: tuple[str, ...]
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The address, or None where a text is none that may be compared safely."""
        try:
            parts = urlsplit(text)
            port = parts.port or _HTTPS
        except ValueError:
            return None
        host = (parts.hostname or "").removesuffix(".")
        if parts.scheme != "https" or "@" in parts.netloc or not _HOST.fullmatch(host):
            return None
        if not _PRINTABLE.fullmatch(text) or "\\" in text:
            return None
        segments = tuple(unquote(segment) for segment in parts.path.split("/")[1:])
        if any(not _is_name(segment) for segment in segments[:-1]):
            return None
        if segments and segments[-1] and not _is_name(segments[-1]):
            return None
        return cls(host=host, port=port, segments=segments, query=parts.query)

    def __str__(self) -> str:
        """What people are shown, and locks name: a query may be a credential."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _HTTPS else f":{self.port}"
        path = "/".join(quote(segment, safe="!$&'()*+,;=:@~") for segment in self.segments)
        return f"https://{host}{port}/{path}"

    @property
    def url(self) -> str:
        """What is fetched."""
        return f"{self}?{self.query}" if self.query else str(self)

    def is_below(self, prefix: Address) -> bool:
        """Whether the other's host is this one's, and its path the beginning of this one's."""
        folders = tuple(segment for segment in prefix.segments if segment)
        same = (self.host, self.port) == (prefix.host, prefix.port)
        return same and self.segments[: len(folders)] == folders


def without_user(url: str) -> str:
    """The address as it may be shown, whatever it is."""
    return re.sub(r"\?[^#\s]*", "", re.sub(r"(?<=://)[^/\s]*@", "", url))


def _is_name(segment: str) -> bool:
    return segment not in {"", ".", ".."} and not re.search(r"[/\\\x00-\x1f\x7f]", segment)
