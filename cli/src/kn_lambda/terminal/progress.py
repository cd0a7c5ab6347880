"""Progress on stderr, line by line, each with the time since the start."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from kn_lambda.terminal.output import Styled, echo, is_drawn, plain, printable_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from rich.text import Text


class Progress:
    """Prints steps as they happen; the time starts when this object is made.

    As a context manager it also shows on a terminal what goes on, below the lines.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self.activity = ""
        """What goes on, shown on terminals only."""
        self._drawn = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Begin to draw, if stderr is a terminal."""
        # Another thread would go on drawing when Ctrl-C ends the first one.
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and is_drawn(err=True):
            from kn_lambda.terminal.live import drawn_again  # noqa: PLC0415 # slow

            self._drawn.enter_context(drawn_again(self._draw))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the lines alone on the terminal."""
        self._drawn.close()

    def restart(self) -> None:
        """Start the time again."""
        self._start = self._clock()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return self._clock() - self._start

    def step(self, text: str | Styled, *, then: str | None = None) -> None:
        """Print a step that begins or is done; `then` goes on afterwards, by default the step."""
        self.activity = plain(text) if then is None else then
        self._print(Styled(f"{self.seconds:6.2f}s", dim=True), "  ", text)

    def warn(self, text: str, hint: str) -> None:
        """Print a warning on one line, and a hint on the next."""
        self._print(Styled("Warning: ", fg="yellow", bold=True), printable_line(text, err=True))
        self._print(hint)

    def log(self, line: str) -> None:
        """Print a line of a build's log."""
        self._print(Styled(f"         | {line}", dim=True))

    def draw_now(self) -> None:
        """Print what a terminal shows at this moment below the lines."""
        from kn_lambda.terminal.rich_console import console  # noqa: PLC0415 # slow

        screen = console(err=True)
        screen.print(self._draw())

    def _print(self, *parts: str | Styled) -> None:
        echo(*parts, err=True)

    def _draw(self) -> Text:
        from kn_lambda.terminal.live import spinner  # noqa: PLC0415 # loaded by now
        from kn_lambda.terminal.rich_console import as_line  # noqa: PLC0415

        seconds = self.seconds
        line = as_line(Styled(f"{seconds:6.1f}s  ", dim=True), err=True)
        line.append_text(as_line(Styled(f"{spinner(seconds)} ", fg="cyan"), err=True))
        line.append_text(as_line(self.activity, err=True))
        line.no_wrap, line.overflow = True, "ellipsis"
        return line
