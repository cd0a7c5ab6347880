"""Settings of Serving, for whoever runs the platform."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingSettings:
    """Defaults for what a Service does not set, and limits for all Services."""

    idle_window_seconds: float = 60.0
    progress_deadline_seconds: float = 60.0
    request_timeout_seconds: float = 300.0
    max_processes_per_service: int = 4
    # How long a request that finds every process busy waits before one more is started.
    scale_up_delay_seconds: float = 0.1
    held_requests_limit: int = 1000
    # Of all bodies together, while they wait for a process.
    held_bytes_limit: int = 256 * 1024 * 1024
    # A sender that stops in the middle of its request is given up after this long,
    body_seconds: float = 10.0
    # and after this long where others wait for the process that it holds.
    awaited_body_seconds: float = 1.0
    stop_grace_seconds: float = 10.0
    first_backoff_seconds: float = 0.1
    longest_backoff_seconds: float = 10.0
    # A process that lived this long did start: the backoff is reset.
    settled_seconds: float = 10.0
    # After this many failures in a row, requests are rejected during the backoff, not held.
    crash_loop_failures: int = 5
    log_limit_bytes: int = 4 * 1024 * 1024
