"""A terminal that remembers every character it was sent."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import threading
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

# What the command line sends itself: colours, and the line that it draws again.
OWN_SEQUENCES = re.compile(r"\x1b\[[0-9;]*m|\r?(?:\x1b\[1A)?\x1b\[2K")


class PseudoTerminal:
    """`stream` is one to write to; `text` is what came, once `close` has returned."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)  # a newline comes as one
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.stream: TextIO = os.fdopen(theirs, "w", encoding="utf-8")

    @property
    def text(self) -> str:
        return b"".join(self._pieces).decode()

    def close(self) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._ours)

    def _read(self) -> None:
        # Linux answers with an error once nobody has the other end.
        with contextlib.suppress(OSError):
            while piece := os.read(self._ours, 4096):
                self._pieces.append(piece)


@contextlib.contextmanager
def pseudo_terminal() -> Iterator[PseudoTerminal]:
    """Yield a terminal; its text is whole after the block."""
    terminal = PseudoTerminal()
    try:
        yield terminal
    finally:
        terminal.close()
