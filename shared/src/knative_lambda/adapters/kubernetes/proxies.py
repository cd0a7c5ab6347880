"""The proxy that the environment names for a server."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(server: str) -> str | None:
    """None too where NO_PROXY has its host, or the network of its address as clusters have it."""
    parts = urlsplit(server)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme)
    if (
        proxy is None
        or proxy_bypass(parts.netloc)
        or _is_within(parts.hostname or "", proxies.get("no", ""))
    ):
        return None
    return proxy


def _is_within(host: str, networks: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    for network in networks.split(","):
        try:
            if address in ip_network(network.strip(), strict=False):
                return True
        except ValueError:
            continue  # a name
    return False
