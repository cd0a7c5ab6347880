"""Memory that gunicorn's master and its worker share."""

from __future__ import annotations

import gc
import os


def share_with_workers() -> None:
    """Keep the garbage collector of a worker off what was loaded before the fork.

    A page is shared until somebody writes to it. Collecting garbage writes to every object, so the
    first full collection would copy the framework's memory; frozen objects are left out.
    """
    os.register_at_fork(before=gc.freeze)
