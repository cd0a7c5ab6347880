"""The options for a source, which `deploy` and `run` share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.completing import Names
    from kn_lambda.session import Session

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def source_options(runtimes: Names) -> Decorator:
    """Return what adds the options to a command, which gets what they say as `overrides`.

    `runtimes` are those that a shell may complete.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
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
            from kn_lambda.deploying.deploy_request import Overrides  # noqa: PLC0415 # quick --help

            overrides = Overrides(
                runtime=runtime, handler=handler, signature=signature, include=include
            )
            function(session, overrides=overrides, **others)

        decorated: Callable[..., None] = run
        for option in reversed(_options(runtimes)):
            decorated = option(decorated)
        return decorated

    return decorate


def _options(runtimes: Names) -> list[Decorator]:
    return [
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
            help="Use files that are left out by default; pattern as in .gitignore;"
            " may be repeated.",
        ),
    ]
