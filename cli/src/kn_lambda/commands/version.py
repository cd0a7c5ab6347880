"""kn-lambda version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda import __version__
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.session import Session


@session_command("version", outputs=("text", "json", "yaml"))
def command(session: Session) -> None:
    """Print the version of kn-lambda."""
    if session.output != "text":
        print_document({"version": __version__}, session.output)
    else:
        echo(f"kn-lambda {__version__}")
