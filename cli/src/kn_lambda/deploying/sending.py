"""Sending an event while somebody watches what becomes of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Sending:
    """Runs `send` in the background: some Brokers answer only once the whole chain is through.

    A Broker of in-memory channels waits for its subscribers, and they for those of their replies.
    """

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Return once the Broker has answered, or the time is over; raise what sending raised."""
        self.linger(seconds)
        self.check()

    def linger(self, seconds: float | None = None) -> None:
        """Give the Broker this long to answer, whatever it answers."""
        self._thread.join(seconds)

    def check(self) -> None:
        """Raise what sending raised, if it is over."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 # told in the thread that waits
            self._error = error
