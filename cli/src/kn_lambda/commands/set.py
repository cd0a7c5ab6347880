"""kn-lambda set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names
from kn_lambda.errors import WrongUsageError
from kn_lambda.option_groups.settings import setting_options
from kn_lambda.option_groups.waiting import timeout_option, wait_option
from kn_lambda.options import session_command
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from kn_lambda.deploying.settings_change import SettingsChange
    from kn_lambda.session import Session


@session_command("set", outputs=("text", "name", "json"))
@click.argument("name", shell_complete=completed_by(function_names))
@setting_options
@wait_option("the function is ready")
@timeout_option("10m")
def command(
    session: Session, *, name: str, change: SettingsChange, wait: bool, timeout: float
) -> None:
    """Change variables and settings of a deployed function.

    Its source is not needed. What an option sets stays when the source is deployed again, and
    hides what function.yaml says. --unset removes a variable and returns a setting to its default;
    the next deployment of the source then follows function.yaml.
    """
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415 # a quick --help
    from kn_lambda.deploying.reporting import (  # noqa: PLC0415
        await_outcome,
        report,
        report_accepted,
        report_nothing_to_change,
    )

    if change.is_empty:
        raise WrongUsageError(
            "no option says what to change",
            hint=f"For example: kn-lambda set {name} --env LOG_LEVEL=debug --memory 512Mi",
        )
    progress = Progress()
    function = session.function(name)
    deployer = Deployer(installation=session.installation, function=function, progress=progress)
    with progress:
        event = deployer.send_change(change)
        result = (
            None if event is None else await_outcome(deployer, event, timeout if wait else None)
        )
    if event is None:
        report_nothing_to_change(session, deployer)
    elif result is None:
        report_accepted(session, deployer, event)
    else:
        report(session, deployer, result, progress.seconds, None, show_calls=False)
