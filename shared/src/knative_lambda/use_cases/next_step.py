"""build-start: the record says how far a request is, and the reply says what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from knative_lambda.domain import events
from knative_lambda.domain.conditions import with_condition
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.events import BuildComplete, BuildPackaged, BuildStarted, Failure
from knative_lambda.domain.lambda_function import QUEUED, Condition
from knative_lambda.use_cases.records import update_status
from knative_lambda.use_cases.request_stamps import superseded

if TYPE_CHECKING:
    from knative_lambda.domain.events import Reply
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        LambdaFunction,
        LambdaFunctionStatus,
        Model,
        Phase,
    )
    from knative_lambda.ports import BuildJobs, Clock, LambdaFunctions


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """Writes it once; a redelivery finds it, however far the build is by now."""

    records: LambdaFunctions
    jobs: BuildJobs
    clock: Clock

    def __call__(
        self,
        record: LambdaFunction,
        phase: Phase,
        said: BuildStatus,
        *,
        uses: str | None = None,
        waits: bool = False,
    ) -> Reply:
        """Reply what the next step is, unless something newer overtook this request.

        `uses`: the digest of what the build found in the registry. `waits`: for room.
        """
        written = self._set_build(record, phase, said, uses, waits=waits)
        if written is None or written.requested_build is None:
            return self._overtaken(record, said.job)
        return reply_of(written, written.requested_build)

    def _set_build(
        self,
        record: LambdaFunction,
        phase: Phase,
        wanted: BuildStatus,
        uses: str | None,
        *,
        waits: bool,
    ) -> LambdaFunction | None:
        """Say in the status how far this request is, unless that was said or the request is old."""
        now = self.clock.now()
        build_ready: Literal["True", "Unknown"] = "Unknown" if wanted.digest is None else "True"

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if current.stamp != record.stamp or current.deleting:
                return None
            status = current.status
            if current.requested_build is not None:
                return status  # a redelivery: the build may be further by now
            if uses in status.collecting:
                raise NotReadyError("the image is being removed; it will be built again")
            conditions = status.conditions
            for condition in (
                Condition(type="SourceReady", status="True", last_transition_time=now),
                Condition(
                    type="BuildReady",
                    status=build_ready,
                    reason=QUEUED if waits else "",
                    last_transition_time=now,
                ),
                Condition(type="ServiceReady", status="Unknown", last_transition_time=now),
                Condition(
                    type="Ready", status="Unknown", reason=phase.value, last_transition_time=now
                ),
            ):
                conditions = with_condition(conditions, condition, now=now)
            return status.model_copy(
                update={
                    "phase": phase,
                    "observed_generation": current.generation,
                    "observed_request": current.stamp.key,
                    "build": wanted,
                    "conditions": conditions,
                }
            )

        return update_status(self.records, record, change)

    def _overtaken(self, record: LambdaFunction, job: str | None) -> Reply:
        """Reply to a request that a newer one, or a deletion, overtook while we worked on it."""
        current = self.records.get(record.id)
        if current is not None and current.uid == record.uid:
            return superseded(record.id, current.stamp)
        if job is not None and current is None:
            self.jobs.delete(job)
        return superseded(record.id, current.stamp if current else record.stamp)


def reply_of(record: LambdaFunction, said: BuildStatus) -> Reply:
    """Return the next step of a build as its record says, so that a redelivery repeats it."""
    type_: str
    data: Model
    if said.job is not None:
        type_, data = events.BUILD_STARTED, BuildStarted(build_id=said.id, job=said.job)
    elif said.digest is not None:
        type_, data = events.BUILD_COMPLETE, BuildComplete(build_id=said.id, digest=said.digest)
    elif said.reason is not None:
        failure = Failure(reason=said.reason, message=said.message or "", is_users=True)
        type_, data = events.BUILD_COMPLETE, BuildComplete(build_id=said.id, failure=failure)
    else:
        packaged = BuildPackaged(build_id=said.id, pinned=said.packages_pinned)
        type_, data = events.BUILD_PACKAGED, packaged
    return events.Reply(type=type_, function=record.id, data=data)
