"""The proxy that the environment names for a server."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Return it; None where NO_PROXY has the host, or the network of its address.

    Clusters write networks there, which Python's own reader of NO_PROXY does not know.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme)
    host_and_port = parts.netloc.rpartition("@")[2]
    if proxy_bypass(host_and_port) or _is_within(parts.hostname or "", proxies.get("no", "")):
        return None
    return proxy or None


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
