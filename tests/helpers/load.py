"""Requests that go on while something happens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.http_client import Answer


class Load:
    """Asks again and again, several at once, until the block ends."""

    def __init__(
        self, ask: Callable[[], Answer], *, askers: int, pause_seconds: float = 0.0
    ) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self._ask = ask
        self._pause_seconds = pause_seconds
        self._ended = threading.Event()
        self._askers = [threading.Thread(target=self._ask_on) for _ in range(askers)]

    def __enter__(self) -> Self:
        for asker in self._askers:
            asker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for asker in self._askers:
            asker.join()

    def _ask_on(self) -> None:
        while not self._ended.wait(self._pause_seconds):
            answer = self._ask()
            self.answers.append((answer.status, answer.body))
