"""Reports each of many deployments of one source, in a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.deploying.reporting import print_invocations, require_ready, result_document
from kn_lambda.deploying.source_state import changed_text
from kn_lambda.deploying.watcher import Outcome
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo, printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.deploying.deployer import Deployer
    from kn_lambda.deploying.source_state import SourceState
    from kn_lambda.deploying.watcher import DeploymentResult
    from kn_lambda.session import Session
    from kn_lambda.terminal.patient_progress import PatientProgress


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """One deployment of many: the state to deploy, and the paths that changed since the last."""

    state: SourceState
    changed: Sequence[str]
    progress: PatientProgress


@dataclass
class RedeploymentReport:
    """Shows how to call the function when its URL is new, and otherwise only what changed."""

    _url: str = ""
    # The first deployment prints them itself.
    _settings: tuple[str, ...] | None = None

    def show(
        self, session: Session, deployer: Deployer, result: DeploymentResult, cycle: Cycle
    ) -> None:
        """Print the outcome; `CommandError` if it failed, but not if another was faster."""
        if session.output == "json":
            document = result_document(deployer, result, cycle.progress.seconds)
            print_document({**document, "files": list(cycle.changed)}, "json", indent=None)
        if result.outcome is Outcome.SUPERSEDED:
            cycle.progress.done(Styled("superseded by a newer request", fg="yellow"))
            return
        record = require_ready(deployer, result)
        word = "unchanged" if deployer.is_unchanged(result) else "ready"
        names = printable_line(changed_text(cycle.changed), err=True)
        cycle.progress.done(Styled(f"{word}: {names}" if names else word, fg="green"))
        self._show_settings(deployer, cycle)
        if session.output == "name":
            echo(f"lambdafunction.knative-lambda.dev/{deployer.function.name}")
        elif session.output == "text" and record["status"]["url"] != self._url:
            self._url = record["status"]["url"]
            print_invocations(session, record, cycle.state.request.files)

    def _show_settings(self, deployer: Deployer, cycle: Cycle) -> None:
        """Print what changed in variables and settings, and what differs from the last time."""
        lines = tuple(deployer.changes.lines()) if deployer.changes is not None else ()
        for line in lines:
            if self._settings is not None and line not in self._settings:
                cycle.progress.done(line)
        self._settings = lines
