"""The progress of several functions: a table on a terminal, elsewhere lines with their names."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from kn_lambda.overriding import override
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import Styled, echo, is_drawn, plain
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from kn_lambda.terminal.rich_board import Row

_KEPT_LINES = 20


class Board:
    """Shows a `Lane` for each name until the block ends; the lanes may run in other threads."""

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.is_drawn = is_drawn(err=True)
        self.clock = clock
        width = max(map(len, names))
        self.lanes = {name: Lane(name, self, prefix=f"{name:<{width}} | ") for name in names}
        self._drawn = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Begin to draw, if stderr is a terminal."""
        if self.is_drawn:
            from kn_lambda.terminal.live import drawn_again  # noqa: PLC0415 # slow
            from kn_lambda.terminal.rich_board import board_table  # noqa: PLC0415

            self._drawn.enter_context(drawn_again(lambda: board_table(self._rows())))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state of the table on the terminal."""
        self._drawn.close()
        if self.is_drawn:
            from kn_lambda.terminal.rich_board import print_board  # noqa: PLC0415 # loaded by now

            print_board(self._rows())

    def _rows(self) -> list[Row]:
        from kn_lambda.terminal.rich_board import Row  # noqa: PLC0415 # loaded by now

        return [
            Row(lane.name, lane.activity, lane.seconds if lane.has_begun else None, lane.outcome)
            for lane in self.lanes.values()
        ]


class Lane(Progress):
    """The progress of one function; `outcome` is empty until it has ended."""

    def __init__(self, name: str, board: Board, *, prefix: str) -> None:
        super().__init__(board.clock)
        self.name = name
        self.outcome = ""
        self.has_begun = False
        self.activity = "waiting"
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        """The last lines of the build's log that the board has not shown."""
        self._board = board
        self._prefix = prefix
        self._ended: float | None = None

    @property
    @override
    def seconds(self) -> float:
        """The time from `begin` to `end`."""
        return self._ended if self._ended is not None else super().seconds

    def begin(self) -> None:
        """Start the time."""
        self.restart()
        self.has_begun = True
        self.activity = "starting"

    def end(self, outcome: str) -> None:
        """Stop the time."""
        self._ended = self.seconds
        self.outcome = outcome
        if not self._board.is_drawn:
            self._print(Styled(f"{self.seconds:6.2f}s", dim=True), "  ", judged(outcome))

    @override
    def step(self, text: str | Styled, *, then: str | None = None) -> None:
        """Show a step that begins or is done."""
        if self._board.is_drawn:
            self.activity = plain(text) if then is None else then
        else:
            super().step(text, then=then)

    @override
    def log(self, line: str) -> None:
        """Print a line of a build's log, or keep it while a table is shown."""
        if self._board.is_drawn:
            self.lines.append(line)
        else:
            super().log(line)

    @override
    def _print(self, *parts: str | Styled) -> None:
        echo(Styled(self._prefix, fg="cyan"), *parts, err=True)
