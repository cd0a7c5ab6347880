"""Draws the pictures of docs/COMMAND_LINE.md: what the command line prints about sample functions.

The commands' own code renders them, so that they show what people see.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from rich.console import Console
from rich.text import Text

from kn_lambda.commands import describe
from kn_lambda.commands import list as list_command
from kn_lambda.errors import CommandError
from kn_lambda.terminal.output import Styled, echo
from kn_lambda.terminal.progress import Progress
from kn_lambda.terminal.rich_board import Row, print_board

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent
_COLUMN_PIXELS = 8
_URL = "http://127.0.0.1:8080/default"
_DIGEST = "sha256:5f1c0a0ed4cd"
# In these units an age does not change while this program runs.
_CREATED = (datetime.now(UTC) - timedelta(days=12, hours=12)).isoformat()
_METADATA = {"namespace": "default", "generation": 2, "resourceVersion": "7"}
_UNSET = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "KN_LAMBDA_PLAIN", "COLORTERM")
_TERMINAL = {**dict.fromkeys(_UNSET, ""), "TERM": "xterm-256color"}
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="PIXELS" viewBox="0 0 {width} {height}" role="img" \
aria-labelledby="{unique_id}-title">
<title id="{unique_id}-title">DESCRIPTION</title>
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, \
"DejaVu Sans Mono", monospace }}
.{unique_id}-title {{ font: bold 18px sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Picture(NamedTuple):
    """What a terminal of this width shows after `command`; `description` is for the blind."""

    command: str
    description: str
    draw: Callable[[], None]
    width: int = 80


def _deploy() -> None:
    times = iter([0.0, 0.05, 0.09, 0.61, 0.94, 1.27])
    now = next(times)
    progress = Progress(clock=lambda: now)
    for text, then in (
        ("packed 3 files, 0.6 KiB", "sending"),
        ("sent default/greeter (python3.11)", "waiting for the build"),
        ("building", None),
    ):
        now = next(times)
        progress.step(text, then=then)
    now = next(times)
    progress.log("Resolved 2 packages in 18ms")
    progress.log("Installed 2 packages: pillow 11.3.0, requests 2.32.5")
    now = next(times)
    progress.draw_now()


def _several() -> None:
    print_board(
        [
            Row("greeter", "deploying", 3.4, "ready"),
            Row("orders", "building", 5.9, "failed: RequirementNotFound"),
            Row("thumbnails", "building", 6.2, ""),
            Row("reports", "waiting", None, ""),
        ]
    )


def _list() -> None:
    list_command.show(
        [
            _record("greeter", "Ready"),
            _record("orders", "Failed"),
            _record("thumbnails", "Building", runtime="nodejs22"),
        ],
        is_wide=False,
        has_namespace=False,
    )


def _describe() -> None:
    describe.show(_record("greeter", "Ready"))


def _error() -> None:
    CommandError(
        "RequirementNotFound: No solution found when resolving dependencies\n"
        "  cause: Because no-such-package was not found in the package registry and you\n"
        "  require no-such-package, we can conclude that your requirements are unsatisfiable.",
        hint="The previous revision still serves requests."
        " See the log: kn-lambda logs orders --build",
    ).show()


def _record(name: str, phase: str, *, runtime: str = "python3.11") -> dict[str, Any]:
    is_ready = phase == "Ready"
    image = f"127.0.0.1:5000/{name}@{_DIGEST}"
    served = {"url": f"{_URL}/{name}", "revision": f"{name}-00002", "image": image}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": _CREATED, **_METADATA},
        "spec": {
            "runtime": runtime,
            "source": {"inline": {"function.yaml": "", "main.py": ""}},
            "handler": "main.handler",
            "scale": {"min": 0, "max": 50},
            "timeoutSeconds": 60,
            "env": [
                {"name": "GREETING", "value": "Hello"},
                {"name": "TOKEN", "secretKeyRef": {"name": "tokens", "key": "greeter"}},
            ],
        },
        "status": {
            "phase": phase,
            **(served if is_ready else {}),
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": _CREATED}
                for kind in ("BuildReady", "Ready", "ServiceReady", "SourceReady")
            ],
        },
    }


PICTURES = {
    "deploy": Picture(
        "kn-lambda deploy greeter",
        "Steps of a deployment with their times, two lines of the build's log, and below them a"
        " spinner with the step that goes on",
        _deploy,
    ),
    "several": Picture(
        "kn-lambda deploy greeter orders thumbnails reports",
        "A table of four deployments: greeter is ready, orders failed, thumbnails is being built,"
        " reports waits",
        _several,
    ),
    "list": Picture(
        "kn-lambda list",
        "A table of functions with phase, runtime, address and age",
        _list,
    ),
    "narrow": Picture(
        "kn-lambda list",
        "The same functions in 40 columns: the fields of each function below each other",
        _list,
        width=40,
    ),
    "describe": Picture(
        "kn-lambda describe greeter",
        "The fields of one function, one in each line, and a table of its conditions",
        _describe,
    ),
    "error": Picture(
        "kn-lambda deploy orders",
        "An error: what happened, why, and the command that shows more",
        _error,
    ),
}


class _Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def pictures() -> dict[str, str]:
    """File name -> content, of every picture."""
    return {f"{name}.svg": _svg(name, picture) for name, picture in PICTURES.items()}


def _svg(name: str, picture: Picture) -> str:
    screen = Console(record=True, width=picture.width, file=io.StringIO(), color_system="truecolor")
    # The empty line below the text: rich cuts the feet of the last one.
    screen.print(Text.from_ansi(_shown(picture).rstrip()), end="\n\n")
    described = f"{escape(picture.command)}. {escape(picture.description)}."
    pixels = str(picture.width * _COLUMN_PIXELS)
    svg = screen.export_svg(
        title=picture.command,
        code_format=_SVG.replace("DESCRIPTION", described).replace("PIXELS", pixels),
        unique_id=name,
    )
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _shown(picture: Picture) -> str:
    screen = _Screen()
    environment = os.environ  # noqa: TID251 # what a terminal says about itself
    terminal = {**_TERMINAL, "COLUMNS": str(picture.width)}
    with (
        mock.patch.dict(environment, terminal),
        contextlib.redirect_stdout(screen),
        contextlib.redirect_stderr(screen),
    ):
        echo(Styled(f"$ {picture.command}", bold=True))
        picture.draw()
    return screen.getvalue()


def main() -> None:
    """Write all, remove what is no picture any more."""
    wanted = pictures()
    for name, content in wanted.items():
        (FOLDER / name).write_text(content)
    for file in FOLDER.glob("*.svg"):
        if file.name not in wanted:
            file.unlink()
    sys.stdout.write(f"{len(wanted)} pictures\n")


if __name__ == "__main__":
    main()
