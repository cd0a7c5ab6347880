"""Whose program listens on a port: another user's may have been quicker than the one that is meant.

Columns of `/proc/net/tcp`: proc_net_tcp.rst of the kernel's documentation.
"""

from __future__ import annotations

import os
from pathlib import Path

_LISTENING = "0A"


def is_taken_by_others(port: int) -> bool:
    """Say whether a program of another user listens on a port of this machine."""
    own = str(os.geteuid())
    ending = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue  # no Linux, or no such protocol
        for line in lines:
            _, local, _, state, _, _, _, user, *_ = line.split()
            if state == _LISTENING and local.endswith(ending) and user != own:
                return True
    return False
