"""The options for how long a command waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.options import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def wait_option(until: str) -> Decorator:
    """Return the option `--wait/--no-wait`; `until` is what the command waits for."""
    return click.option(
        "--wait/--no-wait", default=True, help=f"Wait until {until} (default: wait)."
    )


def timeout_option(default: str) -> Decorator:
    """Return the option `--timeout`, in seconds."""
    return click.option(
        "--timeout",
        type=Duration(),
        default=default,
        help=f"How long to wait before giving up (default {default}).",
    )
