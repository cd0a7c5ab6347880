"""kn-lambda logs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from kn_lambda.errors import MissingError
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId


@session_command("logs")
@click.argument("name")
@click.option(
    "-f", "--follow", is_flag=True, help="Stream the log until Ctrl-C, also of new instances."
)
@click.option("--build", is_flag=True, help="Print the log of the newest build.")
@click.option(
    "--tail",
    type=click.IntRange(min=0),
    help="Number of lines at the end of the log to print (default: all).",
)
def command(
    session: Session, name: str, follow: bool, build: bool, tail: int | None
) -> None:  # fmt: skip
    """Print the log of a function.

    With -o json, print one object per line.
    """
    function, show = session.function(name), _show_json if session.output == "json" else _show
    if build:
        _print_build_log(session, function, show, tail=tail, follow=follow)
        return
    from kn_lambda.cluster.pod_logs import PodLogs  # noqa: PLC0415 # a quick start of --help

    logs = PodLogs(session.installation.api, function)
    if follow:
        session.installation.record(function)
        # Ctrl-C is the normal end of --follow.
        with contextlib.suppress(KeyboardInterrupt):
            logs.follow(show, tail=tail)
        return
    shown = logs.print_all(show, tail=tail)
    if shown is None:
        session.installation.record(function)
        echo(f"{function} has no Pods, so it has no log. A request starts a Pod.", err=True)
    elif shown == 0 and tail != 0:
        echo(f"The log of {function} is empty.", err=True)


def _show(line: str) -> None:
    # With its newline: a carriage return before it is harmless, any other overwrites the line.
    echo(f"{line}\n", nl=False)


def _show_json(line: str) -> None:
    print_document({"line": line}, "json", indent=None)


def _print_build_log(
    session: Session,
    function: FunctionId,
    show: Callable[[str], None],
    *,
    tail: int | None,
    follow: bool,
) -> None:
    from kn_lambda.cluster.build_logs import follow_build, read_build_log  # noqa: PLC0415
    from kn_lambda.cluster.pod_logs import log_lines  # noqa: PLC0415

    if follow:
        follow_build(session.installation, function, show)
        return
    record = session.installation.record(function)
    text = read_build_log(session.installation, record)
    if not text:
        raise MissingError(
            f"{function} has no build log",
            hint="A deployment that reuses an image has no build.",
        )
    lines = log_lines(text)
    for line in lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]:
        show(line)
