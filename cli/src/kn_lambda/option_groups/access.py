"""The options for who may call from elsewhere, which `up` and `run` share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kn_lambda.session import Session


def access_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets valid `hosts` and `origins`."""

    @click.option(
        "--allow-host",
        "hosts",
        metavar="NAME",
        multiple=True,
        help="Host name to accept, such as that of a tunnel; *.NAME accepts all subdomains;"
        " may be repeated.",
    )
    @click.option(
        "--allow-origin",
        "origins",
        metavar="ORIGIN",
        multiple=True,
        help="Origin whose web pages may send requests, such as http://localhost:3000;"
        " may be repeated.",
    )
    @functools.wraps(function)
    def run(
        session: Session, *, hosts: tuple[str, ...], origins: tuple[str, ...], **others: object
    ) -> None:
        from lambda_embedded.access.hosts import parse_allowed_host  # noqa: PLC0415 # quick --help
        from lambda_embedded.access.origins import parse_allowed_origin  # noqa: PLC0415

        function(
            session,
            hosts=_parsed("--allow-host", parse_allowed_host, hosts),
            origins=_parsed("--allow-origin", parse_allowed_origin, origins),
            **others,
        )

    return run


def _parsed(option: str, parse: Callable[[str], str], given: Iterable[str]) -> list[str]:
    try:
        return [parse(text) for text in given]
    except ValueError as error:
        raise WrongUsageError(f"{option}: {error}") from error
