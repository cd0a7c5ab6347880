"""What changes in place at the bottom of a terminal, while lines go by above it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.live import Live

from kn_lambda.terminal.output import Styled, lines_go_to
from kn_lambda.terminal.rich_console import as_text, console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

_FRAMES_PER_SECOND = 8
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SIMPLE_SPINNER = "|/-\\"


@contextlib.contextmanager
def drawn_again(render: Callable[[], RenderableType]) -> Iterator[None]:
    """Draw on stderr until the block ends, however it ends; then nothing of it is left."""
    screen = console(err=True)

    def print_above(parts: tuple[str | Styled, ...]) -> None:
        screen.print(as_text(*parts, err=True), soft_wrap=True)

    live = Live(
        get_renderable=render,
        console=screen,
        refresh_per_second=_FRAMES_PER_SECOND,
        transient=True,
        # Ours goes through `echo`, and nothing else prints.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with lines_go_to(print_above), live:
        yield


def spinner(seconds: float) -> str:
    """Return the character that shows at this time that something goes on."""
    encoding = console(err=True).encoding
    frames = _SPINNER if encoding.startswith("utf") else _SIMPLE_SPINNER
    return frames[int(seconds * _FRAMES_PER_SECOND) % len(frames)]
