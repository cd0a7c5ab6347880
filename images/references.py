"""URLs of registries as people write them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def registry_url(text: str) -> str:
    """`host[:port]/path` with a scheme, unless it has one already.

    http for this machine and private addresses, as in Knative itself; https for all others.
    """
    if "://" in text:
        return text.rstrip("/")
    host = urlsplit(f"//{text}").hostname or ""
    try:
        private = ipaddress.ip_address(host).is_private
    except ValueError:
        private = host == "localhost" or host.endswith(".cluster.local")
    return f"{'http' if private else 'https'}://{text.rstrip('/')}"
