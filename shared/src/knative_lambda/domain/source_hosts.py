"""The hosts that sources may come from, and the addresses that they may have."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

HTTPS_PORT = 443

_NETWORK = r"[0-9A-Fa-f.:]+/[0-9]{1,3}"
_ENTRY = re.compile(
    rf"(?P<host>[A-Za-z0-9.-]+)(:(?P<port>[0-9]{{1,5}}))?(=(?P<networks>{_NETWORK}(,{_NETWORK})*))?"
)
# IPv4 in IPv6: a gateway (NAT64, 6to4) sends what goes there on to the address inside.
_CARRIERS = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))

# Public by their numbers, and served inside a cloud alone: to its machines, about these.
_OF_CLOUDS = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "fec0::/10")))


class SourceHosts:
    """Read from entries `host`, `host:port` and `host=network,network`.

    A host is at public addresses, or with `=` in these networks. `ValueError` for another entry.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._networks = dict(map(_read, entries))

    def __contains__(self, origin: tuple[str, int]) -> bool:
        """Whether sources may come from this host and port."""
        return _key(*origin) in self._networks

    def may_be_at(self, host: str, port: int, address: str) -> bool:
        """Whether a connection to this address may be made for a host that is allowed."""
        found = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        networks = self._networks[_key(host, port)]
        return any(found in network for network in networks) if networks else _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in (*_CARRIERS, *_OF_CLOUDS)):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _key(host: str, port: int) -> tuple[str, int]:
    return host.lower(), port


def _read(entry: str) -> tuple[tuple[str, int], tuple[IPv4Network | IPv6Network, ...]]:
    wrong = ValueError(
        f"{entry[:100]!r} is no host such as git.example.com or git.internal=10.0.0.0/8"
    )
    if (parts := _ENTRY.fullmatch(entry)) is None:
        raise wrong
    try:
        networks = tuple(map(ip_network, filter(None, (parts["networks"] or "").split(","))))
    except ValueError:
        raise wrong from None
    return _key(parts["host"], int(parts["port"] or HTTPS_PORT)), networks
