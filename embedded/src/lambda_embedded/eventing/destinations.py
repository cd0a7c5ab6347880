"""Destinations as Knative writes them (`uri`, or `ref` with an optional path), and their URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_embedded.store.objects import Objects

    Resolve = Callable[[Mapping[str, Any], str], str | None]


class DestinationResolver:
    """Resolves destinations; an object is addressable when it has `status.address.url`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def resolve(self, destination: Mapping[str, Any], namespace: str) -> str | None:
        """Return the URL of a destination, or None while there is none."""
        reference, uri = destination.get("ref"), destination.get("uri")
        if not isinstance(reference or {}, dict) or not isinstance(uri or "", str):
            return None
        if not reference:
            return uri if uri and urlsplit(uri).scheme in {"http", "https"} else None
        kind, name = reference.get("kind", ""), reference.get("name", "")
        item = self._objects.find(kind, reference.get("namespace") or namespace, name)
        if item is None or _group(reference) != _group(item):
            return None
        url = ((item.get("status") or {}).get("address") or {}).get("url")
        # The URL of a Service here has a path, which an absolute path would replace.
        return f"{url.rstrip('/')}/{uri.lstrip('/')}" if url and uri else url


def redacted(url: str) -> str:
    """Return a URL without the parts that may be secret: user information and query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


def _group(item: Mapping[str, Any]) -> str:
    group, separator, _version = str(item.get("apiVersion", "")).partition("/")
    return group if separator else ""
