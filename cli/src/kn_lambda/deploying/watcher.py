"""Watches a deployment until it has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from kn_lambda.cluster.build_logs import BuildLog
from kn_lambda.cluster.builds import place_in_queue
from kn_lambda.cluster.deliveries import Deliveries
from kn_lambda.cluster.records import build_of, status_of
from kn_lambda.deploying.rejections import Rejections
from kn_lambda.errors import TimedOutError
from kn_lambda.program import command_about
from knative_lambda.adapters.kubernetes.requests import read_request
from knative_lambda.domain.errors import PlatformUnavailableError
from knative_lambda.domain.events import BUILD_SUPERSEDED
from knative_lambda.domain.lambda_function import Phase, RequestStamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.installation import Installation
    from kn_lambda.cluster.rejection import Rejection
    from kn_lambda.terminal.progress import Progress
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_POLL_SECONDS = 0.1
# A platform that restarts resumes the deployments that it has accepted.
_OUTAGE_SECONDS = 20.0


class Outcome(StrEnum):
    """How a deployment ended."""

    READY = "ready"
    FAILED = "failed"
    # The documented value in `-o json` since the first release.
    REJECTED = "refused"
    SUPERSEDED = "superseded"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentResult:
    """The outcome of a deployment, with the record at that time."""

    outcome: Outcome
    record: KubernetesObject | None
    rejection: Rejection | None = None


class DeploymentWatcher:
    """Polls the record until this deployment has ended, and reports each step."""

    def __init__(
        self,
        installation: Installation,
        function: FunctionId,
        event: CloudEvent,
        builds_namespace: str,
        progress: Progress,
        *,
        replaces: str | None = None,
        check: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._replaces = replaces
        self._check = check
        self._pause = pause
        self._installation = installation
        self._function = function
        time_ = datetime.fromisoformat(event.attributes["time"])
        self._request = RequestStamp(time=time_, event_id=event.attributes["id"])
        self._progress = progress
        self._seen: set[str] = set()
        self.log = BuildLog(installation.api, builds_namespace, progress.log)
        self._rejections = Rejections(installation.api, function, event)
        correlation = event.attributes["correlationid"]
        self._deliveries = Deliveries(installation, correlation, progress.step)

    def watch(self, timeout_seconds: float) -> DeploymentResult:
        """Return the result; `TimedOutError` if the deployment takes longer, but it continues."""
        deadline = time.monotonic() + timeout_seconds
        silent_since: float | None = None
        while time.monotonic() < deadline:
            try:
                result = self._look()
                silent_since = None
            except PlatformUnavailableError:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > _OUTAGE_SECONDS:
                    raise
                result = None
            if result is not None:
                return result
            self._pause(_POLL_SECONDS)
        raise TimedOutError(
            f"{self._function} is not ready after {timeout_seconds:.0f} s;"
            " the deployment continues",
            hint=f"See its progress: {command_about(self._function, 'describe')}",
        )

    def _look(self) -> DeploymentResult | None:
        record = self._installation.find_record(self._function)
        newest = None if record is None else read_request(record).stamp
        is_ours = newest is not None and newest.event_id == self._request.event_id
        if record is not None and is_ours:
            result = self._result(record)
            if result is not None:
                return result
        elif record is None and ("accepted" in self._seen or self._replaces is not None):
            return DeploymentResult(outcome=Outcome.DELETED, record=None)
        elif newest is not None and self._is_overtaken(newest):
            return DeploymentResult(outcome=Outcome.SUPERSEDED, record=record)
        if "accepted" not in self._seen:
            self._check()  # raises if the Broker did not accept the event
        rejection = self._rejections.poll() or self._deliveries.poll()
        if rejection is not None:
            return DeploymentResult(outcome=Outcome.REJECTED, record=record, rejection=rejection)
        if BUILD_SUPERSEDED in self._deliveries.reply_types:
            return DeploymentResult(outcome=Outcome.SUPERSEDED, record=record)
        return None

    def _is_overtaken(self, newest: RequestStamp) -> bool:
        """Whether another request was accepted, after which this one never will be."""
        is_another = self._replaces not in {None, newest.event_id}
        return is_another or self._request.is_older_than(newest)

    def _result(self, record: KubernetesObject) -> DeploymentResult | None:
        self._seen.add("accepted")
        status, build = status_of(record), build_of(record)
        if build.get("wishId") != self._request.event_id:
            return None
        phase, job = status.get("phase"), build.get("job")
        has_ended = phase in {Phase.READY, Phase.FAILED}
        if job:
            place = place_in_queue(status)
            if place is not None and not has_ended:
                if place:
                    self._once(f"waiting: {place}")
                return None
            # One that was cancelled while it waited never ran.
            if build.get("reason") != "Cancelled":
                self._once("building")
            self.log.poll(job, at_once=has_ended)
        elif phase == Phase.BUILDING and build.get("packagesKey"):
            self._once("using the packages of before")
        if phase == Phase.DEPLOYING or (phase == Phase.READY and job):
            self._once("deploying")
        if not has_ended:
            return None
        outcome = Outcome.READY if phase == Phase.READY else Outcome.FAILED
        return DeploymentResult(outcome=outcome, record=record)

    def _once(self, step: str) -> None:
        if step not in self._seen:
            self._seen.add(step)
            self._progress.step(step)
