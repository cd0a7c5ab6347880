"""build-complete: a person ends a build that waits or runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.use_cases.record_outcome import RecordOutcome, failed_reply

if TYPE_CHECKING:
    from knative_lambda.domain.events import BuildCancel, Event, Reply
    from knative_lambda.domain.lambda_function import LambdaFunction
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import BuildJobs

_LOG_BYTES = 64 * 1024
_CANCELLED = BuildFailure(
    reason="Cancelled", message="the build was cancelled; deploy again", is_users=True
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelBuild:
    """The build fails with the reason `Cancelled`; what served before serves on.

    The event `build.failed` then has its Job removed, as that of every build that failed.
    """

    jobs: BuildJobs
    outcome: RecordOutcome

    def __call__(self, event: Event, function: FunctionId, data: BuildCancel) -> Reply | None:
        """Reply `build.failed`; None where there is no such build, or it ended by itself."""
        record = self.outcome.records.get(function)
        if record is None or record.is_being_deleted or not _is_meant(record, data):
            return None
        said = record.requested_build
        if said is None:
            raise NotReadyError(f"the build of {function} is being started; try again")
        if said.completed_by is not None:
            # If by this event, the reply may have been lost.
            mine = said.completed_by == event.id and said.reason == _CANCELLED.reason
            return failed_reply(function, said, retryable=False) if mine else None
        job = None if said.job is None else self.jobs.get(said.job)
        if job is None or job.has_ended:
            return None  # too late: what it left is being published or deployed
        log = self.jobs.log_tail(job.name, max_bytes=_LOG_BYTES)
        return self.outcome.failed(event, record, said, _CANCELLED, log)


def _is_meant(record: LambdaFunction, data: BuildCancel) -> bool:
    return data.request_id in {None, record.stamp.event_id}
