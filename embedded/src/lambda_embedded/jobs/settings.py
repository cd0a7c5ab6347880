"""How Jobs run on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSettings:
    """Limits and times; tests use short ones."""

    max_pods: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Pods that run at once; further ones wait in order."""
    backoff_seconds: float = 1.0
    """Pause after the first failure of a Job; doubles with each further one."""
    max_backoff_seconds: float = 360.0
    grace_seconds: float = 2.0
    """Between SIGTERM and SIGKILL, unless the pod specifies less."""
    memory_poll_seconds: float = 0.25
    niceness: int = 10
    log_limit_bytes: int = 4 * 1024 * 1024
