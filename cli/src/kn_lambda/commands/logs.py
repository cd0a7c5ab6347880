"""kn-lambda logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import MissingError, WrongUsageError
from kn_lambda.options import Duration, session_command
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.log_lines import LogLine, LogOptions
    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId


@session_command("logs")
@click.argument("name", shell_complete=completed_by(function_names))
@click.option(
    "-f", "--follow", is_flag=True, help="Stream the log until Ctrl-C, also of new instances."
)
@click.option("--build", is_flag=True, help="Print the log of the newest build.")
@click.option(
    "--tail",
    type=click.IntRange(min=0),
    help="Number of lines at the end of the log to print (default: all).",
)
@click.option("--since", type=Duration(), help="Print only what was written since, such as 10m.")
@click.option("--timestamps", is_flag=True, help="Print the time of each line, in UTC.")
def command(
    session: Session,
    *,
    name: str,
    follow: bool,
    build: bool,
    tail: int | None,
    since: float | None,
    timestamps: bool,
) -> None:
    """Print the log of a function.

    With -o json, print one object per line.
    """
    from kn_lambda.cluster.log_lines import LogOptions  # noqa: PLC0415 # a quick start of --help

    if build and since is not None:
        raise WrongUsageError(
            "--since is for the log of the function, not for that of a build",
            hint="Use --tail with --build, or omit --build.",
        )
    function, show = session.function(name), _show_json if session.output == "json" else _show
    options = LogOptions(tail=tail, since_seconds=since, timestamps=timestamps)
    if build:
        _print_build_log(session, function, show, options, follow=follow)
    else:
        _print_log(session, function, show, options, follow=follow)


def _print_log(
    session: Session,
    function: FunctionId,
    show: Callable[[LogLine], None],
    options: LogOptions,
    *,
    follow: bool,
) -> None:
    from kn_lambda.cluster.pod_logs import PodLogs  # noqa: PLC0415

    logs = PodLogs(session.installation.api, function, show)
    if follow:
        session.installation.record(function)
        logs.follow(options)
        return
    shown = logs.print_all(options)
    if shown is None:
        session.installation.record(function)
        echo(f"{function} has no Pods, so it has no log. A request starts a Pod.", err=True)
    elif shown == 0 and options.tail != 0:
        what = "The log" if options.since_seconds is None else "That part of the log"
        echo(f"{what} of {function} is empty.", err=True)


def _show(line: LogLine) -> None:
    # With its newline: a carriage return before it is harmless, any other overwrites the line.
    echo(f"{line}\n", nl=False)


def _show_json(line: LogLine) -> None:
    text = f"[{line.pod}] {line.text}" if line.pod else line.text
    time = {"time": line.time} if line.time else {}
    print_document({**time, "line": text}, "json", indent=None)


def _print_build_log(
    session: Session,
    function: FunctionId,
    show: Callable[[LogLine], None],
    options: LogOptions,
    *,
    follow: bool,
) -> None:
    from kn_lambda.cluster.build_logs import follow_build, read_build_log  # noqa: PLC0415
    from kn_lambda.cluster.builds import place_in_queue  # noqa: PLC0415
    from kn_lambda.cluster.log_lines import log_lines  # noqa: PLC0415
    from kn_lambda.cluster.records import status_of  # noqa: PLC0415

    if follow:
        follow_build(session.installation, function, show, options)
        return
    record = session.installation.record(function)
    text = read_build_log(session.installation, record, timestamps=options.timestamps)
    if not text and (place := place_in_queue(status_of(record))):
        raise MissingError(
            f"the build of {function} has no log yet: {place}",
            hint=f"Wait for it: {command_about(function, 'logs')} --build --follow",
        )
    if not text:
        raise MissingError(
            f"{function} has no build log",
            hint="A deployment that installs no packages, or uses those of before, has none.",
        )
    lines = log_lines(text)
    tail = len(lines) if options.tail is None else min(options.tail, len(lines))
    for line in lines[len(lines) - tail :]:
        show(options.line(line))
