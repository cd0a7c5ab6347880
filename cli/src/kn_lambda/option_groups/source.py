"""The options for a source, which `deploy` and `run` share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, runtimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.session import Session

_OPTIONS = (
    click.option(
        "--runtime",
        help="Language of the function, with or without its version.",
        shell_complete=completed_by(runtimes),
    ),
    click.option("--handler", help="Handler as module.function, such as main.handler."),
    click.option(
        "--signature",
        type=click.Choice(["cloudevent", "http"]),
        help="What the function takes: CloudEvents, or plain HTTP requests.",
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Use files that are left out by default; pattern as in .gitignore; may be repeated.",
    ),
)


def source_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets what they say as `overrides`."""

    @functools.wraps(function)
    def run(
        session: Session,
        *,
        runtime: str | None,
        handler: str | None,
        signature: str | None,
        include: tuple[str, ...],
        **others: object,
    ) -> None:
        from kn_lambda.deploying.deploy_request import Overrides  # noqa: PLC0415 # a quick --help

        overrides = Overrides(
            runtime=runtime, handler=handler, signature=signature, include=include
        )
        function(session, overrides=overrides, **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run
