"""kn-lambda run."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from kn_lambda.completing import languages_with_versions
from kn_lambda.errors import ExitCode, WrongUsageError
from kn_lambda.linux import require_linux
from kn_lambda.option_groups.access import access_options
from kn_lambda.option_groups.source import source_options
from kn_lambda.option_groups.variables import variable_options
from kn_lambda.options import session_command
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.running.narration import Narration
    from kn_lambda.running.run import RunOptions
    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId

_PORT = click.IntRange(0, 65535)


@session_command("run")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "--port", type=_PORT, help="Port (default 8080, or a free one; 0 selects a free port)."
)
@source_options(languages_with_versions)
@variable_options
@click.option("--no-reload", is_flag=True, help="Do not restart the function after each save.")
@click.option("--debug", is_flag=True, help="Wait for a debugger before the function starts.")
@click.option(
    "--debug-port",
    type=click.IntRange(1, 65535),
    help="Port of the debugger (default: the usual one); with --debug.",
)
@access_options
def command(
    session: Session,
    *,
    path: Path,
    port: int | None,
    overrides: Overrides,
    env: tuple[str, ...],
    env_file: tuple[Path, ...],
    no_reload: bool,
    debug: bool,
    debug_port: int | None,
    hosts: list[str],
    origins: list[str],
) -> None:
    """Run one function without a platform, until Ctrl-C.

    PATH is a folder or a file (default: the current folder). It runs as it would when deployed:
    with the same files, packages, variables and server. After each save it starts again.
    """  # fmt: skip
    from kn_lambda.running.run import RunOptions  # noqa: PLC0415 # a quick --help

    require_linux("kn-lambda run")
    if debug_port is not None and not debug:
        raise WrongUsageError("--debug-port is the port of a debugger", hint="Add --debug.")

    options = RunOptions(
        path=path,
        home=session.target.home,
        port=port,
        overrides=overrides,
        variables=partial(_variables, env, env_file),
        env_files=env_file,
        function=partial(_function, session),
        # Few of them reach the function: those that it would have on a platform of this machine.
        machine=dict(os.environ),  # noqa: TID251
        reloads=not no_reload,
        debug_port=(debug_port or 0) if debug else None,
        hosts=frozenset(hosts),
        origins=frozenset(origins),
    )
    _run(session, options)


def _function(session: Session, request: DeployRequest) -> FunctionId:
    namespace = session.requested_namespace or request.namespace
    return replace(session, requested_namespace=namespace).function(request.name)


def _variables(env: Iterable[str], files: Iterable[Path]) -> dict[str, str]:
    from kn_lambda.deploying.settings_change import read_change  # noqa: PLC0415

    change = read_change(env=env, env_files=files, env_values_from=(), unset=(), settings={})
    variables = [value for value in change.given.values() if isinstance(value, dict)]
    return {variable["name"]: variable["value"] for variable in variables}


def _run(session: Session, options: RunOptions) -> None:
    import asyncio  # noqa: PLC0415 # slow; --help goes without
    import logging  # noqa: PLC0415 # the same

    from kn_lambda.running.narration import Narration  # noqa: PLC0415
    from kn_lambda.running.run import ReportedError, run_until_stopped  # noqa: PLC0415
    from kn_lambda.terminal.log_records import stderr_handler  # noqa: PLC0415
    from lambda_embedded.listeners import url_of  # noqa: PLC0415

    # Without one, Python prints warnings and errors as they are.
    logging.basicConfig(handlers=[stderr_handler()], level=logging.WARNING)
    progress = Progress()
    as_json = session.output == "json"

    def narrator(listener: socket.socket) -> Narration:
        return Narration(
            url=url_of(listener),
            source=options.path,
            progress=progress,
            as_json=as_json,
            reloads=options.reloads,
        )

    def show(line: str) -> None:
        # Whoever reads may have enough: the function goes on without.
        with contextlib.suppress(BrokenPipeError):
            echo(line, err=as_json)

    try:
        asyncio.run(run_until_stopped(options, narrator=narrator, progress=progress, show=show))
    except ReportedError as error:
        raise Exit(getattr(error.__cause__, "exit_code", ExitCode.FAILED)) from error
    progress.step("stopped")
