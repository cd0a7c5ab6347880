"""Ports of 127.0.0.1 for the platform's servers."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = "127.0.0.1"


class PortTakenError(Exception):
    """Another program listens on the requested port."""


def bind(
    requested: Mapping[str, int], remembered: Mapping[str, int], options: Mapping[str, str]
) -> dict[str, socket.socket]:
    """Return a bound socket by server; port 0 means the remembered port if free, else any.

    `PortTakenError` names the option (of `options`) that chooses another port.
    """
    sockets: dict[str, socket.socket] = {}
    try:
        # Requested ports first, so that no server with port 0 takes them.
        for server in sorted(requested, key=lambda name: requested[name] == 0):
            port = requested[server]
            if port:
                _require_own_port(server, port, requested, options[server])
                sockets[server] = _bind_requested(server, port, options[server])
            else:
                sockets[server] = _bind_free(remembered.get(server, 0))
    except BaseException:
        for listener in sockets.values():
            listener.close()
        raise
    return sockets


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket has."""
    port: int = listener.getsockname()[1]
    return port


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a server on a socket."""
    return f"{scheme}://{_HOST}:{port_of(listener)}"


def _require_own_port(server: str, port: int, requested: Mapping[str, int], option: str) -> None:
    # Binding would not notice it: until one of the two listens, both may have the port.
    others = [other for other, theirs in requested.items() if other != server and theirs == port]
    if others:
        raise PortTakenError(
            f"port {port} is asked for twice, for the {server} and the {others[0]}: "
            f"choose another with {option}, or 0 for any that is free"
        )


def _bind_requested(server: str, port: int, option: str) -> socket.socket:
    try:
        return _bound(port)
    except OSError as error:
        raise PortTakenError(
            f"port {port} for the {server} is not available ({error.strerror}): "
            f"choose another with {option}, or 0 for any that is free"
        ) from error


def _bind_free(remembered: int) -> socket.socket:
    if remembered:
        with suppress(OSError):
            return _bound(remembered)
    return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    # The last platform's connections may linger on the port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
