"""kn-lambda down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, TimedOutError, WrongUsageError
from kn_lambda.linux import require_linux
from kn_lambda.option_groups.waiting import timeout_option
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from kn_lambda.session import Session


@session_command("down")
@timeout_option("30s")
def command(session: Session, timeout: float) -> None:
    """Stop the embedded platform, wherever it was started.

    Deployed functions are available again after the next start. If no platform runs, there is
    nothing to do, which is not an error.
    """
    from kn_lambda.local_platform.stopping import UnknownOwnerError, stop_platform  # noqa: PLC0415 # quick --help

    require_linux("kn-lambda down")
    if session.target.context is not None:
        raise WrongUsageError(
            "--context is for clusters, but down stops a platform on this machine",
            hint="Omit --context.",
        )
    home, progress = session.target.home, Progress()
    try:
        pid = stop_platform(home, timeout, progress.step)
    except UnknownOwnerError as error:
        raise CommandError(str(error), hint="Stop it where it was started, by Ctrl-C.") from error
    except TimeoutError as error:
        raise TimedOutError(
            f"{error} after {timeout:g} s", hint="Wait for it: run the same command again."
        ) from error
    if session.output == "json":
        outcome = "stopped" if pid else "absent"
        print_document({"home": str(home), "outcome": outcome, "pid": pid}, "json")
    else:
        echo(f"The platform in {home} {'is stopped' if pid else 'was not running'}.")
