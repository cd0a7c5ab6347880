"""What happens, line by line on stderr, each with the time since the start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kn_lambda.terminal.output import Styled, echo, printable_on_a_line

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress:
    """Prints steps as they come; `seconds` is the time since it was made."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return self._clock() - self._start

    def step(self, text: str | Styled) -> None:
        """Something new began or is done."""
        echo(Styled(f"{self.seconds:6.2f}s", dim=True), "  ", text, err=True)

    def warn(self, text: str, hint: str) -> None:
        """Say on one line what is not as one may expect, and on another what to do about it."""
        warning = Styled("Warning: ", fg="yellow", bold=True)
        echo(warning, printable_on_a_line(text, err=True), err=True)
        echo(hint, err=True)

    def log(self, line: str) -> None:
        """Print a line that a program of the user wrote."""
        echo(Styled(f"         | {line}", dim=True), err=True)
