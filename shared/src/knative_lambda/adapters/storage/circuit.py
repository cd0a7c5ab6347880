"""A circuit breaker that knows nothing of what it protects."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from knative_lambda.domain.errors import KnativeLambdaError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_WHILE_PROBED: Final = timedelta(seconds=1)

_log = logging.getLogger(__name__)


class CircuitState(StrEnum):
    """What the circuit does with calls."""

    CLOSED = "closed"  # passes it on
    OPEN = "open"  # rejects it
    HALF_OPEN = "half-open"  # passes one on to see whether the trouble is over


def log_state_change(name: str, old: CircuitState, new: CircuitState) -> None:
    """Log the change for operators."""
    level = logging.WARNING if new is CircuitState.OPEN else logging.INFO
    _log.log(level, "the circuit of %s was %s and is %s", name, old, new)


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitRules:
    """When a circuit opens, for how long, and who is notified.

    `on_state_change(name, old, new)` is called in the order of the changes, under the circuit's
    lock: it must be quick and must not use the circuit. It can feed a metric; the default logs.
    """

    failures_to_open: int = 5
    open_for: timedelta = timedelta(seconds=30)
    monotonic: Callable[[], float] = time.monotonic
    on_state_change: Callable[[str, CircuitState, CircuitState], None] = log_state_change


@dataclass(slots=True)
class Circuit:
    """Opens after a number of failures in a row; after its time, one call decides if it closes.

    `is_failure` tells which errors count. Safe to share between threads.
    """

    name: str
    _: KW_ONLY
    is_failure: Callable[[BaseException], bool]
    rules: CircuitRules
    _state: CircuitState = field(default=CircuitState.CLOSED, init=False)
    _failures: int = field(default=0, init=False)
    _opened_at: float = field(default=0.0, init=False)
    _probing: bool = field(default=False, init=False)
    _generation: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def state(self) -> CircuitState:
        """The state as the last call left it."""
        return self._state

    @contextmanager
    def call(self) -> Generator[None]:
        """Run the block as one call, or raise `ThrottledError` without running it."""
        generation = self._enter()
        try:
            yield
        except BaseException as error:
            self._leave(generation, error)
            raise
        self._leave(generation, None)

    @contextmanager
    def continuation(self) -> Generator[None]:
        """Run the block as a later part of a call: a failure counts, a success proves nothing."""
        with self._lock:
            if self._state is not CircuitState.CLOSED:
                raise self._rejection()
            generation = self._generation
        try:
            yield
        except Exception as error:
            if self.is_failure(error):
                self._leave(generation, error)
            raise

    def _enter(self) -> int:
        with self._lock:
            if self._state is CircuitState.OPEN and self._remaining() <= timedelta():
                self._change(CircuitState.HALF_OPEN)
            if self._state is CircuitState.OPEN or self._probing:
                raise self._rejection()
            self._probing = self._state is CircuitState.HALF_OPEN
            return self._generation

    def _leave(self, generation: int, error: BaseException | None) -> None:
        with self._lock:
            # The outcome of a call that began before the last change says nothing about now.
            if generation != self._generation:
                return
            self._probing = False
            if error is not None and self.is_failure(error):
                self._failed()
            elif error is None or isinstance(error, KnativeLambdaError):
                self._succeeded()

    def _failed(self) -> None:
        self._failures += 1
        if self._state is CircuitState.HALF_OPEN or self._failures >= self.rules.failures_to_open:
            self._opened_at = self.rules.monotonic()
            self._change(CircuitState.OPEN)

    def _succeeded(self) -> None:
        self._failures = 0
        if self._state is CircuitState.HALF_OPEN:
            self._change(CircuitState.CLOSED)

    def _change(self, new: CircuitState) -> None:
        old, self._state = self._state, new
        self._generation += 1
        self.rules.on_state_change(self.name, old, new)

    def _remaining(self) -> timedelta:
        return self.rules.open_for - timedelta(seconds=self.rules.monotonic() - self._opened_at)

    def _rejection(self) -> ThrottledError:
        wait = self._remaining() if self._state is CircuitState.OPEN else timedelta()
        return ThrottledError(
            f"{self.name} failed {self._failures} times in a row and is left alone for a while",
            retry_after=max(wait, _WHILE_PROBED),
        )
