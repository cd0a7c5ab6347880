"""build-complete: from a finished build to a lambda that serves, or to a readable failure."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildFailure, JobState
from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.errors import (
    KnativeLambdaError,
    NotReadyError,
    PackagesMissingError,
    PermanentError,
    SourceNotFoundError,
)
from knative_lambda.domain.events import BuildPackaged
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.job_end import await_end
from knative_lambda.use_cases.kept_packages import PackagesNotes
from knative_lambda.use_cases.record_outcome import RecordOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

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
_PACKAGES_MISSING = PackagesMissingError("").reason
_END_TOLD_WITHIN = timedelta(seconds=10)


class _Left(Enum):
    """What a Job has left in storage."""

    NOTHING = auto()
    PACKAGES = auto()
    TOO_MUCH = auto()


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
    packages_max_bytes: int
    watches_size: bool
    """Whether storage takes an upload of any size, so that somebody has to look."""
    start_timeout: timedelta
    """For how long a Pod may wait for a node and its image; zero: for ever."""
    pause: Callable[[float], None] = time.sleep

    def job_changed(self, event: Event, reference: ObjectReference) -> Reply | None:
        """Reply to a change of a Job: None while it runs, or once its outcome is recorded."""
        job = self.jobs.get(reference.name)
        return None if job is None else self._ended(event, job)

    def build_started(self, event: Event, data: BuildStarted) -> Reply | None:
        """Watch a build for a while, and pass on what it left the moment it is there.

        Events of its Job arrive seconds after the end of a short build, and the kubelet tells of
        its Pod's end up to a second after it. A long one is left to them, unless somebody has to
        look at what it stores: then the Broker delivers this again.
        """
        if self.jobs.pending(data.job) is not None:
            return None
        until = self.clock.now() + self.follow_timeout
        while (job := self.jobs.get(data.job)) is not None and job.state is JobState.RUNNING:
            if self.clock.now() >= until:
                if self.watches_size:
                    raise NotReadyError(f"the size of what {data.job} stores is still watched")
                return None
            left = self._left(job.function, job.build_id)
            if left is (_Left.TOO_MUCH if self.watches_size else _Left.PACKAGES):
                return self._ended(event, replace(job, state=JobState.SUCCEEDED))
            self.pause(_FOLLOW_SECONDS)
        return None if job is None else self._ended(event, job)

    def _ended(self, event: Event, job: BuildJob) -> Reply | None:
        if not job.has_ended:
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
            return self.record_outcome.failed(event, record, wanted, job.failure, log)
        return self._succeeded(event, record, wanted, job)

    def _succeeded(
        self, event: Event, record: LambdaFunction, wanted: BuildStatus, job: BuildJob
    ) -> Reply | None:
        """Pass on to publish what a Job left, unless there is an image already."""
        wanted = wanted.model_copy(update={"packages_pinned": wanted.packages_pinned or job.pinned})
        if job.digest is None:
            left = self._left(record.id, wanted.id)
            if left is _Left.TOO_MUCH:
                failure = build.packages_too_large(self.packages_max_bytes)
                failed = self.record_outcome.failed(event, record, wanted, failure)
                # Only now: whoever dies in between finds it again, and the same reason.
                self.storage.delete(self._object_uri(record.id, wanted.id))
                if job.finished_at is None:
                    self.jobs.delete(job.name)
                return failed
            if left is _Left.PACKAGES or self._is_publishing(record.id, wanted):
                data = BuildPackaged(build_id=wanted.id, pinned=job.pinned)
                return events.Reply(type=events.BUILD_PACKAGED, function=record.id, data=data)
        return self._deploy(event, record, wanted, job)

    def _left(self, function: FunctionId, build_id: str) -> _Left:
        """Look at what a Job has left in storage so far."""
        try:
            stored = self.storage.describe(self._object_uri(function, build_id))
        except SourceNotFoundError:
            return _Left.NOTHING
        return _Left.TOO_MUCH if stored.size_bytes > self.packages_max_bytes else _Left.PACKAGES

    def _object_uri(self, function: FunctionId, build_id: str) -> str:
        return self.storage_url + build.packages_object_key(function, build_id)

    def _is_publishing(self, function: FunctionId, wanted: BuildStatus) -> bool:
        """Whether publish has kept the packages, and has not made the image yet."""
        repository = self._repository_url(function)
        return (
            wanted.packages_key is not None
            and self.registry.find(repository, build.image_tag(wanted.id)) is None
            and self.registry.find(repository, build.packages_tag(wanted.packages_key)) is not None
        )

    def image_found(self, event: Event, function: FunctionId, data: BuildComplete) -> Reply | None:
        """Reply to the end of a build that needs no Job, or whose image publish has made."""
        record = self.records.get(function)
        if record is None:
            return None
        wanted = self._wanted_build(record, event, data.build_id)
        if wanted is None:
            self._watch_failed(record, data.build_id)
            return None
        job = self._ended_job(wanted)
        told = _failure_of(data)
        if (job is not None and not job.has_ended) or (
            told is not None and self._is_stale(record, wanted, told)
        ):
            return None
        failure = told or (None if job is None else job.failure)
        if failure is not None:
            log = self._log_of(wanted)
            return self.record_outcome.failed(event, record, wanted, failure, log)
        pinned = data.pinned or wanted.packages_pinned
        if job is not None and job.pinned and not pinned and wanted.packages_key is not None:
            # publish was asked before the Job could say so.
            pinned = True
            notes = PackagesNotes(storage=self.storage, storage_url=self.storage_url)
            notes.write(function, wanted.packages_key, pinned=True)
        built = wanted.model_copy(update={"packages_pinned": pinned})
        return self._deploy(event, record, built, None)

    def _is_stale(self, record: LambdaFunction, wanted: BuildStatus, told: BuildFailure) -> bool:
        """Whether a failure is known not to be that of this build.

        Such an event is made up, or late, and of an earlier request for the same build.
        """
        if wanted.completed_by is not None:
            return wanted.reason != told.reason
        return told.reason == _PACKAGES_MISSING and self._is_followed(record, wanted)

    def _is_followed(self, record: LambdaFunction, wanted: BuildStatus) -> bool:
        """Whether what its Job left is there, of which another event tells publish."""
        return wanted.job is not None and (
            self._left(record.id, wanted.id) is not _Left.NOTHING
            or self._known_digest(record, wanted) is not None
            or self._is_publishing(record.id, wanted)
        )

    def _ended_job(self, wanted: BuildStatus) -> BuildJob | None:
        """Return the Job of a build, if it had one, once it is known how it ended.

        Its packages may be an image before the kubelet tells of that.
        """
        if wanted.job is None:
            return None
        return await_end(
            self.jobs, wanted.job, clock=self.clock, pause=self.pause, within=_END_TOLD_WITHIN
        )

    def _wanted_build(
        self, record: LambdaFunction, event: Event, build_id: str
    ) -> BuildStatus | None:
        """Return the record's build if this event is about it and no outcome is recorded yet."""
        if record.is_being_deleted:
            return None
        said = record.requested_build
        if said is None and record.is_observed:
            return None  # the newest request was rejected
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
        if digest is None and job is None and self._is_followed(record, wanted):
            return None
        if digest is None:
            text = "the build ended, and left neither packages nor an image; deploy again"
            failure = BuildFailure(reason="ImageMissing", message=text, is_users=False)
            return self.record_outcome.failed(event, record, wanted, failure)
        built = wanted.model_copy(update={"digest": digest})
        deployment = Deployment.of(record, digest, image_prefix=self.image_prefix)
        try:
            if not self.services.apply(deployment):
                return None
        except PermanentError as error:
            # A spec that Knative rejects will not get better, and its sender has to know.
            failure = BuildFailure(reason=error.reason, message=error.message, is_users=True)
            return self.record_outcome.failed(event, record, built, failure)
        state = self._wait(deployment)
        if state.failed:
            failure = BuildFailure(
                reason=state.failure_reason,
                message=state.failure_message,
                is_users=not state.serves,
            )
            log = "" if state.serves else state.failure_message
            failed = self.record_outcome.failed(
                event, record, built, failure, log, serves=state.serves
            )
            # Only now: NoticeRecovery looks for a record that says Failed.
            current = self.records.get(record.id)
            if current is not None:
                self._watch_failed(current, built.id)
            return failed
        ready = self.record_outcome.succeeded(event, record, built, deployment, state)
        if wanted.job is not None and ready is not None and wanted.completed_by is None:
            self._keep_log(event, record.id, wanted)
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

    def _log_of(self, wanted: BuildStatus) -> str:
        """Return the log of its Job, where it had one."""
        if wanted.job is None:
            return ""
        return self.jobs.log_tail(wanted.job, max_bytes=_LOG_BYTES)

    def _keep_log(self, event: Event, function: FunctionId, wanted: BuildStatus) -> None:
        """Let the log of a successful build outlive its Job, if that can be done."""
        try:
            log = self._log_of(wanted)
            self.record_outcome.keep_log(event, function, wanted.id, log)
        except KnativeLambdaError as error:
            _log.warning("the log of Job %s is not kept: %s", wanted.job, error.message)

    def _known_digest(self, record: LambdaFunction, wanted: BuildStatus) -> str | None:
        return wanted.digest or self.registry.find(
            self._repository_url(record.id), build.image_tag(wanted.id)
        )

    def _repository_url(self, function: FunctionId) -> str:
        return f"{self.registry_url}/{function.namespace}/{function.name}"

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
    def record_outcome(self) -> RecordOutcome:
        """What writes how a build ended."""
        return RecordOutcome(
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=self.storage_url,
        )


def _failure_of(data: BuildComplete) -> BuildFailure | None:
    said = data.failure
    if said is None:
        return None
    return BuildFailure(reason=said.reason, message=said.message, is_users=said.is_users)
