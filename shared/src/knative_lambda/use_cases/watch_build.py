"""build-complete: a build that cannot start has failed, and a failed one need not continue."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from knative_lambda.domain import build
from knative_lambda.use_cases.record_outcome import RecordOutcome, failed_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.build import PendingBuild
    from knative_lambda.domain.events import BuildFailed, BuildStarted, Event, Reply
    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import BuildJobs, Clock, LambdaFunctions, ObjectStorage

# Kubernetes makes the Pod of a Job within a second, or in five with fifty Jobs at once.
_POD_IS_MADE_WITHIN = timedelta(seconds=10)
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchBuild:
    """Notices what no event of a Job reports: a Pod that waits changes nothing in its Job."""

    records: LambdaFunctions
    jobs: BuildJobs
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    start_timeout: timedelta
    """For how long a Pod may wait for a node and its image; zero: for as long as its Job may."""
    pause: Callable[[float], None] = time.sleep

    def build_started(self, event: Event, function: FunctionId, data: BuildStarted) -> Reply | None:
        """Hold this delivery until a container of the build runs, or reply that none can.

        A build without a Pod may wait for room as long as its Job may; nothing waits with it.
        """
        began, seconds = self.clock.now(), _FIRST_PAUSE_SECONDS
        while self.start_timeout:
            record = self.records.get(function)
            said = None if record is None else _wanted(record, data.build_id)
            if record is None or said is None:
                break
            if said.completed_by is not None:
                # Its outcome is recorded; if by this event, the reply may have been lost.
                if said.completed_by != event.id:
                    return None
                if said.reason is None:
                    break  # it serves, and CompleteBuild says so again
                return failed_reply(function, said, retryable=not self._is_users(said))
            pending = None if said.job is None else self.jobs.pending(said.job)
            if pending is None:
                break
            if self.clock.now() - min(began, pending.since) >= self._patience(pending):
                if pending.obstacle is None:
                    break
                return self._record_outcome.failed(event, record, said, pending.obstacle)
            self.pause(seconds)
            seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
        return None

    def build_failed(self, function: FunctionId, data: BuildFailed) -> None:
        """Remove the Job of a failed build that still waits or retries.

        Only now that `build.failed` is out: a redelivery before that finds the Job as it was.
        """
        record = self.records.get(function)
        said = None if record is None else _wanted(record, data.build_id)
        if said is None or said.reason is None or said.job is None:
            return
        job = self.jobs.get(said.job)
        if job is not None and job.finished_at is None:
            self.jobs.delete(job.name)

    def _is_users(self, failed: BuildStatus) -> bool:
        """Whether this event told of a mistake of the user's: the record does not say it."""
        if failed.reason == build.PACKAGES_TOO_LARGE:
            return True
        job = None if failed.job is None else self.jobs.get(failed.job)
        ended = None if job is None else job.failure
        return ended is not None and ended.is_users and ended.reason == failed.reason

    def _patience(self, pending: PendingBuild) -> timedelta:
        if not pending.has_pod:
            return _POD_IS_MADE_WITHIN
        return timedelta(0) if pending.is_lasting else self.start_timeout

    @property
    def _record_outcome(self) -> RecordOutcome:
        return RecordOutcome(
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=self.storage_url,
        )


def _wanted(record: LambdaFunction, build_id: str) -> BuildStatus | None:
    """Return the record's build if it is that one, for the newest request."""
    said = record.requested_build
    if record.is_being_deleted or said is None or said.id != build_id:
        return None
    return said
