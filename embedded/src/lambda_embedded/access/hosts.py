"""Host names by which the platform may be called.

A web page can make its own name resolve to 127.0.0.1 (DNS rebinding). The browser then sends that
name as Host, which no page can change.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/@\\?#]+)(:(?P<port>[0-9]{1,5}))?")


class InvalidHostError(ValueError):
    """The value of `--allow-host` is not a host name."""


def parse_allowed_host(text: str) -> str:
    """Return an allowed host name; `*.example.com` stands for every name below."""
    name = text.lower().rstrip(".")
    if not _NAME.fullmatch(name.removeprefix("*.")):
        raise InvalidHostError(
            f"{text!r} is not a host name: give it without scheme, port or path, such as"
            " tunnel.example.com, or *.example.com for all names below"
        )
    return name


def host_name(authority: str) -> str | None:
    """Return the host of `host` or `host:port` in lower case, None for anything else."""
    match = _AUTHORITY.fullmatch(authority.lower())
    return match["host"].strip("[]") if match else None


def is_own(name: str) -> bool:
    """Return whether a name means this machine, whatever DNS says.

    Browsers and RFC 6761 (6.3) keep `localhost` and all below it on the machine.
    """
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def matches(name: str, allowed: str) -> bool:
    """Return whether an allowed name covers this one."""
    if allowed.startswith("*."):
        return name.endswith(allowed[1:])
    return name == allowed
