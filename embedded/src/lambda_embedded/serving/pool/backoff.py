"""How long to wait before a crashing program is started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.serving.settings import ServingSettings


class Backoff:
    """Doubles with every failure in a row; a process that lived long enough resets it."""

    def __init__(self, settings: ServingSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def is_looping(self) -> bool:
        """Whether it failed so often in a row that no request should wait for the next try."""
        return self._failures >= self._settings.crash_loop_failures

    @property
    def remaining_seconds(self) -> float:
        """Return the time until the next try is due."""
        return max(0.0, self._until - self._clock())

    def failed(self, *, alive_seconds: float = 0.0) -> None:
        """Count a failure of a process that had served for this long."""
        settings = self._settings
        settled = alive_seconds >= settings.settled_seconds
        self._failures = 1 if settled else self._failures + 1
        # Beyond 2**20 the longest delay applies anyway, and the power must not overflow.
        factor = 2 ** min(self._failures - 1, 20)
        delay = min(settings.first_backoff_seconds * factor, settings.longest_backoff_seconds)
        self._until = self._clock() + delay
