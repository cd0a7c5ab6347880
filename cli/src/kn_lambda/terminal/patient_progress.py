"""Progress of work that is usually over in a moment, and then needs one line only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.overriding import override
from kn_lambda.terminal.output import plain
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from kn_lambda.terminal.output import Styled

_PATIENCE_SECONDS = 3.0


class PatientProgress(Progress):
    """Holds the log back until the work has taken three seconds, and shows steps after that.

    `done` always prints. `release` shows what was held back, as after a failure. A warning that is
    in `warned` was printed before, and is not printed again.
    """

    def __init__(self, warned: set[str]) -> None:
        super().__init__()
        self._warned = warned
        self._held: list[str] | None = []

    @override
    def step(self, text: str | Styled, *, then: str | None = None) -> None:
        if self._is_slow():
            super().step(text, then=then)
        else:
            self.activity = plain(text) if then is None else then

    @override
    def log(self, line: str) -> None:
        if self._held is None or self._is_slow():
            super().log(line)
        else:
            self._held.append(line)

    @override
    def warn(self, text: str, hint: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            super().warn(text, hint)

    def done(self, text: str | Styled) -> None:
        """Print how it ended."""
        super().step(text)

    def release(self) -> None:
        """Show the log so far, and from now on every line at once."""
        held, self._held = self._held or [], None
        for line in held:
            super().log(line)

    def _is_slow(self) -> bool:
        if self._held is not None and self.seconds > _PATIENCE_SECONDS:
            self.release()
        return self._held is None
