"""Sends an event in the background, while the deployment is watched."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Sending:
    """Runs `send` in a thread, since some Brokers respond only after the whole chain of events.

    A Broker of in-memory channels waits for its subscribers, and for the subscribers of their
    responses.
    """

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the Broker's response, or for `seconds`; raise the error of `send`."""
        self.linger(seconds)
        self.check()

    def linger(self, seconds: float | None = None) -> None:
        """Wait for the Broker's response, or for `seconds`; ignore errors."""
        self._thread.join(seconds)

    def check(self) -> None:
        """Raise the error of `send`, if it has failed."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 # raised in the thread that waits
            self._error = error
