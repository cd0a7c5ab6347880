"""The platform that images are made for, which is that of this machine."""

from __future__ import annotations

import platform

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def architecture() -> str:
    """This machine's architecture, as image indexes name it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)
