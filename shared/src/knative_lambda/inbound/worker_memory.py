"""Memory that gunicorn's master and its worker share."""

from __future__ import annotations

import gc
import os


def share_with_workers() -> None:
    """Let a worker leave alone what was loaded before its start.

    A page is shared until somebody writes to it. Looking for garbage writes to every object, so
    that the first full look would copy the framework's memory: what is frozen is never looked at.
    """
    os.register_at_fork(before=gc.freeze)
