"""kn-lambda rebuild."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.records import build_of
from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import WrongUsageError
from kn_lambda.option_groups.refreshing import refresh_option
from kn_lambda.option_groups.waiting import timeout_option, wait_option
from kn_lambda.options import session_command
from kn_lambda.program import command_about
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId


@session_command("rebuild", outputs=("text", "name", "json"))
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completed_by(function_names))
@click.option("--all", "all_functions", is_flag=True, help="All functions of the namespace.")
@refresh_option
@wait_option("the functions are ready")
@timeout_option("10m")
def command(
    session: Session,
    *,
    names: tuple[str, ...],
    all_functions: bool,
    refresh: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Build deployed functions again, on new base images.

    The source and the settings stay as they are, and packages that were installed before are used
    again. A function whose image would be the same stays unchanged. --all leaves out functions
    whose newest version was cancelled.
    """
    functions = _functions(session, names, all_functions=all_functions)
    if len(functions) == 1 and not all_functions:
        _rebuild(session, functions[0], refresh=refresh, timeout_seconds=timeout if wait else None)
        return
    if not functions:
        if session.output == "json":
            print_document([], "json")
        return
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415 # a quick --help
    from kn_lambda.deploying.several import send_several  # noqa: PLC0415

    sends = dict.fromkeys(functions, partial(Deployer.send_rebuild, refresh=refresh))
    send_several(session, sends, wait=wait, timeout_seconds=timeout)


def _functions(
    session: Session, names: Sequence[str], *, all_functions: bool
) -> Sequence[FunctionId]:
    if bool(names) == all_functions:
        raise WrongUsageError(
            "--all and a NAME exclude each other" if names else "nothing says what to rebuild",
            hint="For example: kn-lambda rebuild hello, or kn-lambda rebuild --all",
        )
    if all_functions:
        return _all_functions(session)
    return list(dict.fromkeys(session.function(name) for name in names))


def _all_functions(session: Session) -> Sequence[FunctionId]:
    """Those of the namespace, without what somebody wanted not to be deployed."""
    from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS  # noqa: PLC0415
    from knative_lambda.domain.names import FunctionId  # noqa: PLC0415

    items = session.installation.api.list(LAMBDA_FUNCTIONS, session.namespace)
    found = {FunctionId(session.namespace, item["metadata"]["name"]): item for item in items}
    # A record of another name was made by hand: no event can name it.
    functions = sorted((each for each in found if each.is_valid), key=str)
    if not functions:
        echo(f"No functions found in namespace {session.namespace}.", err=True)
    wanted = []
    for function in functions:
        if build_of(found[function]).get("reason") == "Cancelled":
            way = f"to build it: {command_about(function, 'rebuild')}"
            echo(f"{function} is left out: its newest version was cancelled ({way})", err=True)
        else:
            wanted.append(function)
    return wanted


def _rebuild(
    session: Session, function: FunctionId, *, refresh: bool, timeout_seconds: float | None
) -> None:
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415
    from kn_lambda.deploying.reporting import await_outcome, report, report_accepted  # noqa: PLC0415

    progress = Progress()
    deployer = Deployer(installation=session.installation, function=function, progress=progress)
    with progress:
        event = deployer.send_rebuild(refresh=refresh)
        result = await_outcome(deployer, event, timeout_seconds)
    if result is None:
        report_accepted(session, deployer, event)
    else:
        report(session, deployer, result, progress.seconds, None, show_calls=False)
