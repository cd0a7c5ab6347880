"""kn-lambda doctor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, UnreachableError
from kn_lambda.options import session_command
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.judgements import judged
from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    from kn_lambda.checks.check import Check
    from kn_lambda.session import Session

_HINT = "The failed checks above say how to fix each."


@session_command("doctor", outputs=("text", "json", "yaml"))
def command(session: Session) -> None:
    """Check this machine and the platform, and suggest fixes."""
    from kn_lambda.checks.machine import check_machine  # noqa: PLC0415
    from kn_lambda.checks.platform import check_platform  # noqa: PLC0415 # quick --help

    checks = []
    for each in (
        # An embedded platform inherits the environment of its user.
        *check_machine(session.target.home, dict(os.environ)),  # noqa: TID251
        *check_platform(lambda: session.installation, session.namespace),
    ):
        checks.append(each)
        if session.output == "text":
            _show(each)
    if session.output != "text":
        print_document([_document(each) for each in checks], session.output)
    failed = [each.name for each in checks if each.verdict == "failed"]
    if "platform" in failed:
        raise UnreachableError("cannot reach the platform", hint=_HINT)
    if failed:
        raise CommandError(f"failed checks: {', '.join(failed)}", hint=_HINT)


def _show(check: Check) -> None:
    echo(judged(f"{check.verdict:<8}"), f" {check.name}: {check.found}")
    if check.verdict != "ok" and check.hint:
        echo(f"         {check.hint}")


def _document(check: Check) -> dict[str, str]:
    document = {"name": check.name, "verdict": check.verdict.value, "found": check.found}
    needs_fix = check.verdict != "ok" and check.hint
    # The documented field in `-o json` since the first release.
    return {**document, "wayOut": check.hint} if needs_fix else document
