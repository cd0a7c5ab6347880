"""build-complete: a lambda that had failed serves after all, without a new deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId, readable_part
from knative_lambda.use_cases.record_outcome import RecordOutcome

if TYPE_CHECKING:
    from knative_lambda.domain.deployment import ServiceState
    from knative_lambda.domain.events import Event, ObjectReference, Reply
    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction
    from knative_lambda.ports import Clock, LambdaFunctions, LambdaServices, ObjectStorage


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeRecovery:
    """Records a failed lambda as ready once what it lacked is there: a Secret, say, or a Broker.

    Costs one read where the record does not say that it failed.
    """

    records: LambdaFunctions
    services: LambdaServices
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    image_prefix: str

    def __call__(self, event: Event, changed: ObjectReference) -> Reply | None:
        """Reply to a change of a Service or a Trigger; None while it is not ready."""
        function = _function_of(changed)
        record = None if function is None else self.records.get(function)
        failed = None if record is None else _failed_start(record, event)
        if record is None or failed is None or failed.digest is None:
            return None
        deployment = Deployment.of(record, failed.digest, image_prefix=self.image_prefix)
        state = self._state(deployment)
        if state is None or not state.ready:
            return None
        ready = self._record_outcome.recovered(event, record, failed, deployment, state)
        if ready is not None:
            self.services.apply(deployment)  # nobody watches it any more
        return ready

    def _state(self, deployment: Deployment) -> ServiceState | None:
        try:
            return self.services.state(deployment)
        except NotReadyError:
            return None  # it is gone

    @property
    def _record_outcome(self) -> RecordOutcome:
        return RecordOutcome(
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=self.storage_url,
        )


def _function_of(changed: ObjectReference) -> FunctionId | None:
    """Return whose it is: a Service has the lambda's name, a Trigger one derived from it."""
    is_derived = changed.kind == "Trigger"
    name = readable_part(changed.name) if is_derived else changed.name
    try:
        return FunctionId.parse(f"{changed.namespace}/{name}")
    except ValueError:
        return None  # somebody else's, with our labels


def _failed_start(record: LambdaFunction, event: Event) -> BuildStatus | None:
    """Return the build of the newest request if it failed after its image was made.

    Also if this very event recorded it as ready: the reply may have been lost.
    """
    said = record.requested_build
    if record.is_being_deleted or said is None:
        return None
    is_failed = record.status.phase is Phase.FAILED
    return said if is_failed or said.completed_by == event.id else None
