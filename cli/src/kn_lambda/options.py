"""The options that commands share, and how a command gets its session."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.connecting import TargetOptions, connect
from kn_lambda.cluster.running import DEFAULT_HOME
from kn_lambda.completing import completed_by, contexts, namespaces
from kn_lambda.errors import WrongUsageError
from kn_lambda.overriding import override
from kn_lambda.session import Session
from kn_lambda.terminal.help import HelpContext

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VERBOSE = "kn_lambda.verbose"
"""Key of click's `meta`: whether to print tracebacks."""
# The data of an event may be empty text.
_MAY_BE_EMPTY = frozenset({"data"})
TEXT_AND_JSON = ("text", "json")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, None: 1}


def shared_options(
    outputs: Sequence[str] = ("text", "wide", "name", "json", "yaml"),
    *,
    with_environment: bool = False,
) -> list[click.Option]:
    """Return options as kubectl and kn have them; only the outermost command reads variables."""
    home_variable = "KN_LAMBDA_HOME" if with_environment else None
    kubeconfig_variable = "KUBECONFIG" if with_environment else None
    return [
        click.Option(
            ["-n", "--namespace"], metavar="NAMESPACE", help='The namespace (default "default").',
            shell_complete=completed_by(namespaces),
        ),
        click.Option(
            ["--context"], metavar="NAME", help="The kubeconfig context to use.",
            shell_complete=completed_by(contexts),
        ),
        click.Option(
            ["--kubeconfig"], hidden=True, envvar=kubeconfig_variable, metavar="FILE",
            help="The kubeconfig file to use.",
        ),
        click.Option(
            ["--home"], envvar=home_variable, metavar="FOLDER",
            type=click.Path(path_type=Path, file_okay=False),
            help=f"Data folder of the embedded platform ($KN_LAMBDA_HOME; default {DEFAULT_HOME}).",
        ),
        click.Option(
            ["-o", "--output"], type=click.Choice(list(outputs)), metavar="FORMAT",
            help=f"Output format: {', '.join(outputs)}.",
        ),
        click.Option(
            ["-v", "--verbose"], is_flag=True, help="Show requests and tracebacks."
        ),
    ]  # fmt: skip


class _SessionCommand(click.Command):
    context_class = HelpContext

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        reject_empty_options(self, ctx, args)
        return super().parse_args(ctx, args)


def reject_empty_options(command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
    """Reject `--name ''`: it is usually a variable that a script did not set.

    Taken at its word, it would mean the default, which is another function or another platform.
    """
    if ctx.resilient_parsing:
        return
    given, _rest, _order = command.make_parser(ctx).parse_args(list(args))
    for param in command.params:
        values = given.get(param.name)
        is_empty = values == "" or (isinstance(values, list) and "" in values)
        if isinstance(param, click.Option) and is_empty and param.name not in _MAY_BE_EMPTY:
            raise WrongUsageError(
                f"{max(param.opts, key=len)} is empty",
                hint="Give it a value, or leave the option out.",
            )


def session_command(
    name: str, *, outputs: Sequence[str] = TEXT_AND_JSON
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function whose first argument is the session."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(
            *,
            namespace: str | None,
            context: str | None,
            kubeconfig: str | None,
            home: Path | None,
            output: str | None,
            verbose: bool,
            **own: object,
        ) -> None:
            click.get_current_context().meta[VERBOSE] = verbose
            session = Session(
                requested_namespace=namespace,
                target=TargetOptions(
                    context=context,
                    kubeconfig=kubeconfig,
                    home=(home or DEFAULT_HOME).expanduser().absolute(),
                ),
                output=output or "text",
                verbose=verbose,
                connect=click.get_current_context().find_root().obj or connect,
            )
            function(session, **own)

        command: click.Command = click.command(name=name, cls=_SessionCommand)(run)
        command.params.extend(shared_options(outputs))
        return command

    return decorate


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h`; a bare number is seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not a duration such as 90s or 5m", param, ctx)
        return float(match[1]) * _UNITS[match[2]]
