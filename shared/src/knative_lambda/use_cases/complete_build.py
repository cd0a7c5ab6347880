"""build-complete: from a finished build to a lambda that answers, or to a readable failure."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildFailure, JobState
from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.errors import NotReadyError, PermanentError
from knative_lambda.domain.events import BuildFailed, FunctionReady
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.build_outcome import failed_status, ready_status
from knative_lambda.use_cases.records import update_status

if TYPE_CHECKING:
    from datetime import timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.deployment import ServiceState
    from knative_lambda.domain.events import BuildComplete, Event, JobReference, Reply
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        LambdaFunction,
        LambdaFunctionStatus,
    )
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )

_LOG_BYTES = 64 * 1024
_LOG_BYTES_IN_STATUS = 4 * 1024
_LOG_BYTES_IN_EVENT = 2 * 1024
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteBuild:
    """Deploy what was built if it is still wanted; until then the old revision serves."""

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

    def job_changed(self, event: Event, reference: JobReference) -> Reply | None:
        """Answer for a Job that changed: nothing while it runs, or once its end was dealt with."""
        job = self.jobs.get(reference.name)
        if job is None or job.state is JobState.RUNNING:
            return None
        record = self.records.get(job.function)
        if record is None:
            self.jobs.delete(job.name)
            return None
        wanted = self._wanted_build(record, event, job.build_id)
        if wanted is None:
            return None
        if job.failure is not None:
            log = self.jobs.log_tail(job.name, max_bytes=_LOG_BYTES)
            return self._fail(event, record, wanted, job.failure, log)
        return self._deploy(event, record, wanted, job)

    def image_found(self, event: Event, function: FunctionId, data: BuildComplete) -> Reply | None:
        """Answer for a build that had nothing to do."""
        record = self.records.get(function)
        if record is None:
            return None
        wanted = self._wanted_build(record, event, data.build_id)
        if wanted is None:
            return None
        return self._deploy(event, record, wanted, None)

    def _wanted_build(
        self, record: LambdaFunction, event: Event, build_id: str
    ) -> BuildStatus | None:
        """Return the record's build when this event is about it and it is not settled yet."""
        if record.deleting or record.status.phase is Phase.DELETING:
            return None
        said = record.status.build
        if said is None or not said.serves(record.wish):
            # build-start has written the wish and is about to write which build it means.
            raise NotReadyError(f"the build of {record.id} is just being started; try again")
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
            return self._fail(event, record, wanted, failure, "")
        built = wanted.model_copy(update={"digest": digest})
        deployment = Deployment(
            function=record.id,
            uid=record.uid,
            generation=record.generation,
            spec=record.spec,
            image=record.spec.source.image
            or f"{self.image_prefix}/{record.id.namespace}/{record.id.name}@{digest}",
        )
        try:
            if not self.services.apply(deployment):
                return None
        except PermanentError as error:
            # What Knative refuses of a spec will not get better, and its sender has to know.
            failure = BuildFailure(reason=error.reason, message=error.message, is_users=True)
            return self._fail(event, record, built, failure, "")
        state = self._wait(deployment)
        if state.failed:
            failure = BuildFailure(
                reason=state.failure_reason, message=state.failure_message, is_users=True
            )
            return self._fail(event, record, built, failure, state.failure_message)
        return self._succeed(event, record, built, deployment, state)

    def _succeed(
        self,
        event: Event,
        record: LambdaFunction,
        built: BuildStatus,
        deployment: Deployment,
        state: ServiceState,
    ) -> Reply | None:
        now = self.clock.now()
        settled = built.model_copy(
            update={"finished_at": built.finished_at or now, "completed_by": event.id}
        )
        if not self._settle(record, ready_status(record, settled, deployment, state, now)):
            return None
        data = FunctionReady(
            build_id=built.id, url=state.url, image=deployment.image, revision=state.revision
        )
        return events.Reply(type=events.FUNCTION_READY, function=record.id, data=data)

    def _known_digest(self, record: LambdaFunction, wanted: BuildStatus) -> str | None:
        repository = f"{self.registry_url}/{record.id.namespace}/{record.id.name}"
        return wanted.digest or self.registry.find(repository, build.image_tag(wanted.id))

    def _wait(self, deployment: Deployment) -> ServiceState:
        """Wait for the revision within one delivery; the Broker's next try waits on."""
        deadline = time.monotonic() + self.ready_timeout.total_seconds()
        while True:
            state = self.services.state(deployment)
            if state.ready or state.failed:
                return state
            if time.monotonic() > deadline:
                raise NotReadyError(f"{deployment.function} is starting; looking again later")
            time.sleep(_POLL_SECONDS)

    def _fail(
        self,
        event: Event,
        record: LambdaFunction,
        ended: BuildStatus,
        failure: BuildFailure,
        log: str,
    ) -> Reply | None:
        log_uri = self.storage_url + build.log_key(record.id, ended.id)
        self.storage.write(log_uri, io.BytesIO(log.encode()))
        now = self.clock.now()
        settled = ended.model_copy(
            update={
                "finished_at": now,
                "reason": failure.reason,
                "message": failure.message,
                "log": _tail(log, _LOG_BYTES_IN_STATUS),
                "log_uri": log_uri,
                "completed_by": event.id,
            }
        )
        if not self._settle(record, failed_status(record, settled, failure, now)):
            return None
        data = BuildFailed(
            build_id=ended.id,
            reason=failure.reason,
            message=failure.message,
            retryable=not failure.is_users,
            log=_tail(log, _LOG_BYTES_IN_EVENT),
        )
        return events.Reply(type=events.BUILD_FAILED, function=record.id, data=data)

    def _settle(self, record: LambdaFunction, status: LambdaFunctionStatus) -> bool:
        """Write how the build ended, unless a newer wish, a deletion or another event did."""

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            overtaken = current.wish != record.wish or current.status.phase is Phase.DELETING
            if overtaken or current.deleting or current.status.build is None:
                return None
            # A Job's end comes in several events; one of them tells of it.
            settled_by = current.status.build.completed_by
            mine = status.build is not None and status.build.completed_by == settled_by
            return status if settled_by is None or mine else None

        return update_status(self.records, record, change) is not None


def _tail(log: str, max_bytes: int) -> str:
    return log.encode()[-max_bytes:].decode(errors="ignore")
