"""build-complete: from a finished build to a lambda that serves, or to a readable failure."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain import build
from knative_lambda.domain.build import BuildFailure, JobState
from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.errors import KnativeLambdaError, NotReadyError, PermanentError
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.record_outcome import RecordOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.deployment import ServiceState
    from knative_lambda.domain.events import (
        BuildComplete,
        BuildStarted,
        Event,
        ObjectReference,
        Reply,
    )
    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )

_log = logging.getLogger(__name__)

_LOG_BYTES = 64 * 1024
_POLL_SECONDS = 0.1
# Two small reads each; a build without packages takes two seconds.
_FOLLOW_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteBuild:
    """Deploys what was built if it is still wanted; until then the old revision serves."""

    records: LambdaFunctions
    jobs: BuildJobs
    services: LambdaServices
    registry: ImageRegistry
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    registry_url: str
    image_prefix: str
    ready_timeout: timedelta
    follow_timeout: timedelta
    start_timeout: timedelta
    """For how long a Pod may wait for a node and its image; zero: for ever."""
    pause: Callable[[float], None] = time.sleep

    def job_changed(self, event: Event, reference: ObjectReference) -> Reply | None:
        """Reply to a change of a Job: None while it runs, or once its outcome is recorded."""
        job = self.jobs.get(reference.name)
        return None if job is None else self._ended(event, job)

    def build_started(self, event: Event, data: BuildStarted) -> Reply | None:
        """Watch a build for a while, and deploy it the moment it ends.

        Events of its Job arrive seconds after the end of a short build. A long one is left to them.
        """
        if self.jobs.pending(data.job) is not None:
            return None
        until = self.clock.now() + self.follow_timeout
        while (job := self.jobs.get(data.job)) is not None and job.state is JobState.RUNNING:
            if self.clock.now() >= until:
                return None
            self.pause(_FOLLOW_SECONDS)
        return None if job is None else self._ended(event, job)

    def _ended(self, event: Event, job: BuildJob) -> Reply | None:
        if job.state is JobState.RUNNING:
            return None
        record = self.records.get(job.function)
        if record is None:
            self.jobs.delete(job.name)
            return None
        wanted = self._wanted_build(record, event, job.build_id)
        if wanted is None:
            self._watch_failed(record, job.build_id)
            return None
        if job.failure is not None:
            log = self.jobs.log_tail(job.name, max_bytes=_LOG_BYTES)
            return self._record_outcome.failed(event, record, wanted, job.failure, log)
        return self._deploy(event, record, wanted, job)

    def image_found(self, event: Event, function: FunctionId, data: BuildComplete) -> Reply | None:
        """Reply to a build that had nothing to do."""
        record = self.records.get(function)
        if record is None:
            return None
        wanted = self._wanted_build(record, event, data.build_id)
        if wanted is None:
            self._watch_failed(record, data.build_id)
            return None
        return self._deploy(event, record, wanted, None)

    def _wanted_build(
        self, record: LambdaFunction, event: Event, build_id: str
    ) -> BuildStatus | None:
        """Return the record's build if this event is about it and no outcome is recorded yet."""
        if record.is_being_deleted:
            return None
        said = record.requested_build
        if said is None:
            # build-start has written the request and is about to write which build it means.
            raise NotReadyError(f"the build of {record.id} is being started; try again")
        if said.id != build_id or said.completed_by not in {None, event.id}:
            return None
        return said

    def _deploy(
        self, event: Event, record: LambdaFunction, wanted: BuildStatus, job: BuildJob | None
    ) -> Reply | None:
        digest = (job and job.digest) or self._known_digest(record, wanted)
        if digest is None:
            text = "the build ended, but the registry has no image of it; deploy again"
            failure = BuildFailure(reason="ImageMissing", message=text, is_users=False)
            return self._record_outcome.failed(event, record, wanted, failure)
        built = wanted.model_copy(update={"digest": digest})
        deployment = Deployment.of(record, digest, image_prefix=self.image_prefix)
        try:
            if not self.services.apply(deployment):
                return None
        except PermanentError as error:
            # A spec that Knative rejects will not get better, and its sender has to know.
            failure = BuildFailure(reason=error.reason, message=error.message, is_users=True)
            return self._record_outcome.failed(event, record, built, failure)
        state = self._wait(deployment)
        if state.failed:
            failure = BuildFailure(
                reason=state.failure_reason,
                message=state.failure_message,
                is_users=not state.serves,
            )
            log = "" if state.serves else state.failure_message
            failed = self._record_outcome.failed(
                event, record, built, failure, log, serves=state.serves
            )
            # Only now: NoticeRecovery looks for a record that says Failed.
            current = self.records.get(record.id)
            if current is not None:
                self._watch_failed(current, built.id)
            return failed
        ready = self._record_outcome.succeeded(event, record, built, deployment, state)
        if job is not None and ready is not None and wanted.completed_by is None:
            self._keep_log(event, job)
        return ready

    def _watch_failed(self, record: LambdaFunction, build_id: str) -> None:
        """Have changes of a failed revision reported, whichever event recorded the failure.

        Another event of the same build may have applied the Service since, which ends the watch.
        """
        said = record.requested_build
        if record.deleting or said is None or said.digest is None or said.id != build_id:
            return
        if record.status.phase is Phase.FAILED:
            deployment = Deployment.of(record, said.digest, image_prefix=self.image_prefix)
            self.services.watch(deployment)

    def _keep_log(self, event: Event, job: BuildJob) -> None:
        """Let the log of a successful build outlive its Job, if that can be done."""
        try:
            log = self.jobs.log_tail(job.name, max_bytes=_LOG_BYTES)
            self._record_outcome.keep_log(event, job.function, job.build_id, log)
        except KnativeLambdaError as error:
            _log.warning("the log of Job %s is not kept: %s", job.name, error.message)

    def _known_digest(self, record: LambdaFunction, wanted: BuildStatus) -> str | None:
        repository = f"{self.registry_url}/{record.id.namespace}/{record.id.name}"
        return wanted.digest or self.registry.find(repository, build.image_tag(wanted.id))

    def _wait(self, deployment: Deployment) -> ServiceState:
        """Wait for the revision within one delivery; the Broker's next attempt waits again."""
        deadline = time.monotonic() + self.ready_timeout.total_seconds()
        while True:
            state = self.services.state(deployment)
            if state.ready or (state.failed and not self._may_pass(state)):
                return state
            if time.monotonic() > deadline:
                raise NotReadyError(f"{deployment.function} is starting; looking again later")
            time.sleep(_POLL_SECONDS)

    def _may_pass(self, state: ServiceState) -> bool:
        """Whether room or another node may come later."""
        since = state.pending_since
        return since is not None and (
            not self.start_timeout or self.clock.now() - since < self.start_timeout
        )

    @property
    def _record_outcome(self) -> RecordOutcome:
        return RecordOutcome(
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=self.storage_url,
        )
