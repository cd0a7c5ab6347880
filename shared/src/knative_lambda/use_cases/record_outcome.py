"""Records the outcome of a build, once, and makes the reply that reports it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain import build, events
from knative_lambda.domain.events import BuildFailed, FunctionReady
from knative_lambda.use_cases.build_outcome import failed_status, ready_status
from knative_lambda.use_cases.records import update_status

if TYPE_CHECKING:
    from knative_lambda.domain.build import BuildFailure
    from knative_lambda.domain.deployment import Deployment, ServiceState
    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        LambdaFunction,
        LambdaFunctionStatus,
    )
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import Clock, LambdaFunctions, ObjectStorage

_LOG_BYTES_IN_STATUS = 4 * 1024
_LOG_BYTES_IN_EVENT = 2 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordOutcome:
    """Of all events that report one build's end, the first records it; the others do nothing."""

    records: LambdaFunctions
    storage: ObjectStorage
    clock: Clock
    storage_url: str

    def succeeded(
        self,
        event: Event,
        record: LambdaFunction,
        built: BuildStatus,
        deployment: Deployment,
        state: ServiceState,
    ) -> Reply | None:
        """Reply `function.ready`, unless another event came first."""
        now = self.clock.now()
        finished = built.model_copy(
            update={
                "finished_at": built.finished_at or now,
                "completed_by": event.id,
                # Of one that cleanup had given up.
                "reason": None,
                "message": None,
            }
        )
        if not self._write(record, ready_status(record, finished, deployment, state, now)):
            return None
        return _ready_reply(finished, deployment, state)

    def recovered(
        self,
        event: Event,
        record: LambdaFunction,
        failed: BuildStatus,
        deployment: Deployment,
        state: ServiceState,
    ) -> Reply | None:
        """Reply `function.ready` for what had failed, unless another event came first."""
        nothing = dict.fromkeys(("reason", "message", "log", "log_uri"))
        finished = failed.model_copy(update={**nothing, "completed_by": event.id})
        status = ready_status(record, finished, deployment, state, self.clock.now())
        if not self._write(record, status, over=failed.completed_by):
            return None
        return _ready_reply(finished, deployment, state)

    def failed(
        self,
        event: Event,
        record: LambdaFunction,
        ended: BuildStatus,
        failure: BuildFailure,
        log: str = "",
        *,
        serves: bool = False,
    ) -> Reply | None:
        """Reply `build.failed`, unless another event came first; `serves`: all but its Triggers."""
        now = self.clock.now()
        finished = ended.model_copy(
            update={
                "finished_at": now,
                "reason": failure.reason,
                "message": failure.message,
                "log": _tail(log, _LOG_BYTES_IN_STATUS),
                "log_uri": self._keep(record.id, ended.id, log),
                "completed_by": event.id,
            }
        )
        if not self._write(record, failed_status(record, finished, failure, now, serves=serves)):
            return None
        return failed_reply(record.id, finished, retryable=not failure.is_users)

    def keep_log(self, event: Event, function: FunctionId, build_id: str, log: str) -> None:
        """Keep the log of a build that this event recorded as ready; its record says where."""
        uri, record = self._keep(function, build_id, log), self.records.get(function)
        if uri is None:
            return

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            said = current.status.build
            mine = said is not None and (said.id, said.completed_by) == (build_id, event.id)
            if said is None or not mine or current.is_being_deleted:
                return None
            told = said.model_copy(update={"log_uri": uri})
            return current.status.model_copy(update={"build": told})

        if record is not None and update_status(self.records, record, change) is not None:
            return
        record = self.records.get(function)
        if record is None or record.is_being_deleted:
            self.storage.delete(
                uri
            )  # a deletion may have looked for logs before this one was written

    def _keep(self, function: FunctionId, build_id: str, log: str) -> str | None:
        if not log:
            return None  # a late event must not empty what another one kept
        uri = self.storage_url + build.log_key(function, build_id)
        self.storage.write(uri, io.BytesIO(log.encode()))
        return uri

    def _write(
        self, record: LambdaFunction, status: LambdaFunctionStatus, *, over: str | None = None
    ) -> bool:
        """Write the outcome, unless a newer request, a deletion or another event came first.

        `over`: the event whose outcome this one replaces.
        """

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            overtaken = current.stamp != record.stamp or current.is_being_deleted
            if overtaken or current.status.build is None:
                return None
            # Several events tell of a build's end; one of them records it.
            mine = None if status.build is None else status.build.completed_by
            recorded_by = current.status.build.completed_by
            return status if recorded_by in {None, mine, over} else None

        return update_status(self.records, record, change) is not None


def _ready_reply(built: BuildStatus, deployment: Deployment, state: ServiceState) -> Reply:
    data = FunctionReady(
        build_id=built.id, url=state.url, image=deployment.image, revision=state.revision
    )
    return events.Reply(type=events.FUNCTION_READY, function=deployment.function, data=data)


def failed_reply(function: FunctionId, build: BuildStatus, *, retryable: bool) -> Reply:
    """Reply with what the record says about a failed build."""
    data = BuildFailed(
        build_id=build.id,
        reason=build.reason or "",
        message=build.message or "",
        retryable=retryable,
        log=_tail(build.log or "", _LOG_BYTES_IN_EVENT),
    )
    return events.Reply(type=events.BUILD_FAILED, function=function, data=data)


def _tail(log: str, max_bytes: int) -> str:
    return log.encode()[-max_bytes:].decode(errors="ignore")
