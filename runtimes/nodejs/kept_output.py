"""What a program prints, of which the beginning and the end are kept.

Code of strangers prints as much as it likes while a package is built.
"""

from __future__ import annotations

from collections import deque
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT_CHARACTERS = 1024 * 1024
_LINE_CHARACTERS = 1024 * 1024


def read_lines(stream: IO[str] | None) -> Iterator[str]:
    """Yield lines; one of a million characters comes in parts."""
    while stream is not None and (line := stream.readline(_LINE_CHARACTERS)):
        yield line


class KeptOutput:
    """Lines of a program, in bounded memory."""

    def __init__(self) -> None:
        self._beginning: list[str] = []
        self._room = _KEPT_CHARACTERS
        self._end: deque[str] = deque()
        self._length = 0

    def add(self, line: str) -> None:
        """Keep a line, or forget an earlier one for it."""
        if self._room > 0:
            self._room -= len(line)
            self._beginning.append(line)
            return
        self._end.append(line)
        self._length += len(line)
        while self._length > _KEPT_CHARACTERS and len(self._end) > 1:
            self._length -= len(self._end.popleft())

    @property
    def text(self) -> str:
        """All that is kept."""
        return "".join([*self._beginning, *self._end])
