"""The output of a child process, line by line on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_LINE_BYTES = 64 * 1024


class TerminalLog:
    """Passes whole lines on; each `(before, after)` of `replacements` is replaced in them."""

    def __init__(
        self, show: Callable[[str], None], replacements: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._show = show
        self._replacements = replacements
        self._rest = b""

    def write(self, data: bytes) -> None:
        """Take a piece of output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._pass_on(line)
        if len(self._rest) > _LONGEST_LINE_BYTES:
            self._flush()

    def close(self) -> None:
        """Show a last line without an end."""
        if self._rest:
            self._flush()

    def _flush(self) -> None:
        line, self._rest = self._rest, b""
        self._pass_on(line)

    def _pass_on(self, line: bytes) -> None:
        text = line.decode(errors="backslashreplace").removesuffix("\r")
        for before, after in self._replacements:
            text = text.replace(before, after)
        self._show(text)
