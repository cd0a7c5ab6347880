"""SIGTERM and SIGINT as an exception, which can be deferred where it would leave things behind."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_builder.errors import Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Termination:
    """The state of a process's signals."""

    def __init__(self) -> None:
        self.is_held = False
        self.signal: str | None = None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        # A second signal while cleaning up must not interrupt the cleaning.
        signal.signal(number, signal.SIG_IGN)
        self.signal = signal.Signals(number).name
        self.raise_unless_held()

    def raise_unless_held(self) -> None:
        if self.signal is not None and not self.is_held:
            name, self.signal = self.signal, None
            raise Terminated(name)


_TERMINATION = _Termination()


def raise_on_signals() -> None:
    """From now on SIGTERM and SIGINT raise `Terminated`."""
    for number in _SIGNALS:
        signal.signal(number, _TERMINATION.receive)


@contextmanager
def held() -> Iterator[None]:
    """Raise only after the block, as between a process's start and the `try` that ends it."""
    with _holding(is_held=True):
        yield
    _TERMINATION.raise_unless_held()


@contextmanager
def allowed() -> Iterator[None]:
    """Inside a block of `held`, a part that may be interrupted."""
    with _holding(is_held=False):
        _TERMINATION.raise_unless_held()
        yield


@contextmanager
def _holding(*, is_held: bool) -> Iterator[None]:
    before, _TERMINATION.is_held = _TERMINATION.is_held, is_held
    try:
        yield
    finally:
        _TERMINATION.is_held = before
