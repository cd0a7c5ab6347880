"""Deploys a source now and after every save."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import click

from kn_lambda.deploying.deploy_request import make_deploy_request
from kn_lambda.deploying.deployer import Deployer
from kn_lambda.deploying.followed_log import FollowedLog
from kn_lambda.deploying.redeployment_report import Cycle, RedeploymentReport
from kn_lambda.deploying.saves import SourceGoneError, Watch, saves
from kn_lambda.deploying.source_state import read_state
from kn_lambda.errors import CommandError, UnreachableError, WrongUsageError, as_command_error
from kn_lambda.terminal.output import Styled, echo
from kn_lambda.terminal.patient_progress import PatientProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.deploying.source_state import SourceState
    from kn_lambda.session import Session

# Each save of a slow build starts another one, so not every save may.
_PATIENCE_SECONDS = 5.0


def deploy_on_save(
    session: Session,
    path: Path,
    manifest: Path | None,
    overrides: Overrides,
    *,
    timeout_seconds: float,
    with_log: bool,
) -> None:
    """Deploy the source at `path` now and after every save, until Ctrl-C."""
    if overrides.source or overrides.image:
        raise WrongUsageError(
            "--watch is for files in PATH, but the source is not in PATH",
            hint="Omit --watch, or the source: --source or --image.",
        )
    # Even if the current folder is deleted, `.` exists.
    watched = path.absolute()
    redeployment = Redeployment(
        session=session,
        make_request=lambda: make_deploy_request(path, manifest, overrides),
        timeout_seconds=timeout_seconds,
        log=FollowedLog() if with_log else None,
    )
    watch = Watch(path=watched, beside=[manifest.absolute()] if manifest else [])
    try:
        redeployment.run(saves(watch))
    except SourceGoneError as error:
        error.hint = "The function still serves what was deployed last. Remove it: kn-lambda delete"
        raise


class _SavedAgainError(Exception):
    """Nobody waits any longer for what is being deployed."""


@dataclass(kw_only=True)
class Redeployment:
    """Deploys what `make_request` returns, whenever that or a file of it has changed.

    A save that cannot be deployed is reported, and the next one is waited for. A platform that
    does not respond is asked again until it does.
    """

    session: Session
    make_request: Callable[[], DeployRequest]
    timeout_seconds: float
    log: FollowedLog | None = None
    patience_seconds: float = _PATIENCE_SECONDS
    _sent: SourceState | None = field(default=None, init=False)
    # Nothing was deployed yet of what is on disk, for a reason that may pass without a save.
    _is_pending: bool = field(default=False, init=False)
    # Something was saved while a deployment was waited for.
    _is_saved: bool = field(default=False, init=False)
    _warned: set[str] = field(default_factory=set, init=False)
    _problem: str = field(default="", init=False)
    _report: RedeploymentReport = field(default_factory=RedeploymentReport, init=False)

    def run(self, saves: Iterable[bool]) -> None:
        """Deploy now, and after each True of `saves` that changes what is deployed.

        Each False is a moment to ask a platform again that did not respond.
        """
        self._saves = iter(saves)
        self._deploy_first()
        for is_saved in self._saves:
            if is_saved or self._is_saved or self._is_pending:
                self._is_saved = False
                self._deploy_changes()

    def _deploy_first(self) -> None:
        """Deploy; raise what no save of the source mends."""
        progress = PatientProgress(self._warned)
        progress.release()
        self._sent = read_state(self.make_request)
        try:
            self._deploy(Cycle(state=self._sent, changed=(), progress=progress))
        except (WrongUsageError, UnreachableError, SourceGoneError):
            raise
        except CommandError as error:
            error.show()
        echo(f"\nWatching: a save deploys {self._sent.request.name} again. Ctrl-C ends.", err=True)

    def _deploy_changes(self) -> None:
        progress = PatientProgress(self._warned)
        try:
            self._deploy_state(progress)
        except SourceGoneError:
            raise
        except click.ClickException as error:
            self._show(error, progress)
        except Exception as error:  # noqa: BLE001 # whatever it is: the next save may mend it
            self._show(as_command_error(error), progress)

    def _deploy_state(self, progress: PatientProgress) -> None:
        was_pending, self._is_pending = self._is_pending, True
        state = read_state(self.make_request)
        changed = state.changes_since(self._sent)
        self._sent, self._is_pending = state, False
        if changed or was_pending:
            self._deploy(Cycle(state=state, changed=changed, progress=progress))
        self._problem = ""

    def _show(self, error: click.ClickException, progress: PatientProgress) -> None:
        """Show an error; while it is pending, only once."""
        progress.release()
        if isinstance(error, UnreachableError):
            self._is_pending = True
            error.hint = "Deploying goes on as soon as the platform responds. Ctrl-C ends."
        if error.message != self._problem:
            error.show()
        self._problem = error.message if self._is_pending else ""

    def _deploy(self, cycle: Cycle) -> None:
        request = cycle.state.request
        # Connects anew: a platform that was restarted may have other ports and another token.
        session = self.session.within(request.namespace)
        deployer = Deployer(
            installation=session.installation,
            function=session.function(request.name),
            progress=cycle.progress,
        )
        if self.log is not None:
            # Before the new revision starts, so that its first lines are shown as well.
            self.log.follow(session, deployer.function)
        pause = partial(self._pause, cycle.progress)
        try:
            with cycle.progress:
                result = deployer.watch(deployer.send(request), self.timeout_seconds, pause=pause)
        except _SavedAgainError:
            cycle.progress.done(Styled("superseded by the next save", fg="yellow"))
        else:
            self._report.show(session, deployer, result, cycle)

    def _pause(self, progress: PatientProgress, seconds: float) -> None:
        """Wait for the next look at a deployment; a slow one is left alone for a newer save."""
        if progress.seconds < self.patience_seconds:
            time.sleep(seconds)
            return
        self._is_saved |= next(self._saves, False)
        if self._is_saved and self._has_changed():
            raise _SavedAgainError

    def _has_changed(self) -> bool:
        try:
            return bool(read_state(self.make_request).changes_since(self._sent))
        except CommandError:
            return False  # it is shown when its turn comes
