"""Deploys several functions at once; none waits for, or fails with, another."""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.deploy_request import make_deploy_request
from kn_lambda.deploying.deployer import Deployer
from kn_lambda.deploying.reporting import (
    accepted_document,
    error_document,
    require_ready,
    result_document,
)
from kn_lambda.errors import CommandError, WrongUsageError, as_command_error
from kn_lambda.terminal.board import Board, Lane
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_AT_ONCE = 8


def make_deploy_requests(
    paths: Sequence[Path], manifest: Path | None, overrides: Overrides
) -> list[DeployRequest]:
    """Make a request of each folder; `WrongUsageError` if an option is for one function only."""
    ours = {"--file": manifest, "--name": overrides.name, "--handler": overrides.handler}
    ours |= {"--source": overrides.source, "--image": overrides.image}
    ours |= {"--source-sha256": overrides.source_sha256}
    ours |= {"--source-secret": overrides.source_secret}
    for option, value in ours.items():
        if value is not None:
            raise WrongUsageError(
                f"{option} is for one function, but there are {len(paths)} folders",
                hint="Write it into the function.yaml of its folder, or deploy that one alone.",
            )
    return [make_deploy_request(path, None, overrides) for path in paths]


def deploy_several(
    session: Session, requests: Sequence[DeployRequest], *, wait: bool, timeout_seconds: float
) -> None:
    """Deploy all; `CommandError` at the end if any failed."""
    sends = [partial(Deployer.send, request=request) for request in requests]
    send_several(
        session,
        dict(zip(_functions(session, requests), sends, strict=True)),
        wait=wait,
        timeout_seconds=timeout_seconds,
    )


def send_several(
    session: Session,
    sends: Mapping[FunctionId, Callable[[Deployer], CloudEvent]],
    *,
    wait: bool,
    timeout_seconds: float,
) -> None:
    """Send the request of each function at the same time, and report; like `deploy_several`."""
    functions = list(sends)
    installation = session.installation
    installation.settings()  # one error instead of one for each, if no platform responds
    board = Board(_labels(functions))
    deployments = [
        _Deployment(
            send=send,
            deployer=Deployer(installation=installation, function=function, progress=lane),
            lane=lane,
            timeout_seconds=timeout_seconds if wait else None,
        )
        for (function, send), lane in zip(sends.items(), board.lanes.values(), strict=True)
    ]
    try:
        with board:
            _run_all([deployment.run for deployment in deployments])
    except KeyboardInterrupt:
        echo("\nWhat was sent continues. See its progress: kn-lambda list", err=True)
        raise
    _report(session, deployments)


@dataclass(kw_only=True)
class _Deployment:
    """One of several; after `run`, `document` has its outcome, and `error` why it failed."""

    send: Callable[[Deployer], CloudEvent]
    deployer: Deployer
    lane: Lane
    timeout_seconds: float | None
    document: dict[str, Any] = field(default_factory=dict)
    error: CommandError | None = None

    def run(self) -> None:
        """Deploy; raises nothing."""
        self.lane.begin()
        try:
            self._deploy()
        except Exception as error:  # noqa: BLE001 # the others go on
            self.error = _as_command_error(error)
            self.document = self.document or error_document(
                self.deployer.function, self.error, self.lane.seconds
            )
        reason = self.document.get("reason")
        self.lane.end(f"{self.document['outcome']}{f': {reason}' if reason else ''}")

    def _deploy(self) -> None:
        event = self.send(self.deployer)
        if self.timeout_seconds is None:
            self.deployer.await_acceptance()
            self.document = accepted_document(self.deployer, event)
            return
        result = self.deployer.watch(event, self.timeout_seconds)
        self.document = result_document(self.deployer, result, self.lane.seconds)
        require_ready(self.deployer, result)


def _as_command_error(error: Exception) -> CommandError:
    if isinstance(error, CommandError):
        return error
    known = as_command_error(error)
    return known if isinstance(known, CommandError) else CommandError(known.message)


def _functions(session: Session, requests: Sequence[DeployRequest]) -> list[FunctionId]:
    functions: dict[FunctionId, DeployRequest] = {}
    for request in requests:
        function = session.within(request.namespace).function(request.name)
        if function in functions:
            raise WrongUsageError(
                f"two of the folders are {function}; nothing was sent",
                hint="Give one of them another name: metadata.name in its function.yaml.",
            )
        functions[function] = request
    return list(functions)


def _labels(functions: Sequence[FunctionId]) -> list[str]:
    is_one_namespace = len({function.namespace for function in functions}) == 1
    return [function.name if is_one_namespace else str(function) for function in functions]


def _run_all(works: Sequence[Callable[[], None]]) -> None:
    """Run all in threads that do not outlive the command: Ctrl-C must not wait for them."""
    waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    for work in works:
        waiting.put(work)

    def run() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.get_nowait()()
                ended.put(None)

    for _ in range(min(_AT_ONCE, len(works))):
        threading.Thread(target=run, daemon=True).start()
    for _ in works:
        ended.get()


def _report(session: Session, deployments: Sequence[_Deployment]) -> None:
    if session.output == "json":
        print_document([deployment.document for deployment in deployments], "json")
    width = max(len(deployment.lane.name) for deployment in deployments)
    for deployment in deployments:
        if deployment.error is not None:
            continue
        if session.output == "name":
            echo(f"lambdafunction.knative-lambda.dev/{deployment.deployer.function.name}")
        elif session.output == "text" and "url" in deployment.document:
            echo(f"{deployment.lane.name:<{width}}   {deployment.document['url']}")
    failed = [deployment for deployment in deployments if deployment.error is not None]
    for deployment in failed:
        _show_failure(deployment)
    if failed:
        names = ", ".join(deployment.lane.name for deployment in failed)
        raise CommandError(
            f"{len(failed)} of {len(deployments)} functions failed: {names}",
            hint="Fix them and deploy again; what is deployed already stays unchanged.",
        )


def _show_failure(deployment: _Deployment) -> None:
    error, name = deployment.error, deployment.lane.name
    if error is None:
        return
    for line in deployment.lane.lines:
        echo(Styled(f"{name} | {line}", dim=True), err=True)
    CommandError(f"{name}: {error.message}", hint=error.hint).show()
    echo(err=True)
