"""Progress on stderr, line by line, each with the time since the start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kn_lambda.terminal.output import Styled, echo, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress:
    """Prints steps as they happen; the time starts when this object is made."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return self._clock() - self._start

    def step(self, text: str | Styled) -> None:
        """Print a step that begins or is done."""
        echo(Styled(f"{self.seconds:6.2f}s", dim=True), "  ", text, err=True)

    def warn(self, text: str, hint: str) -> None:
        """Print a warning on one line, and a hint on the next."""
        warning = Styled("Warning: ", fg="yellow", bold=True)
        echo(warning, printable_line(text, err=True), err=True)
        echo(hint, err=True)

    def log(self, line: str) -> None:
        """Print a line of a build's log."""
        echo(Styled(f"         | {line}", dim=True), err=True)
