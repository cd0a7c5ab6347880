"""The options for variables, which functions have wherever they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def variable_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `env` and `env_file`."""
    function = click.option(
        "--env-file",
        multiple=True,
        type=_FILE,
        metavar="FILE",
        help="File with a NAME=VALUE on each line; may be repeated.",
    )(function)
    return click.option(
        "--env",
        "-e",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="Variable to set, without a value that of this terminal; may be repeated.",
    )(function)
