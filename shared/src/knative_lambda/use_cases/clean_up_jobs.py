"""cleanup: build Jobs that nobody needs, ends that nobody saw, and builds that vanished."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.build import LOST
from knative_lambda.domain.errors import PermanentError
from knative_lambda.use_cases.build_outcome import failed_status
from knative_lambda.use_cases.records import update_status
from knative_lambda.use_cases.seen_records import UNDER_WAY

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        LambdaFunction,
        LambdaFunctionStatus,
    )
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.use_cases.clean_up_pass import CleanUpPass


@dataclass(frozen=True, slots=True)
class CleanUpJobs:
    """Its part of a pass comes first: others have to know what runs."""

    run: CleanUpPass

    def jobs(self) -> None:
        """Remove Jobs that ended long ago, and Jobs whose lambda is gone."""
        for job in self.run.use.jobs.list():
            self.run.check_time()
            ended = job.finished_at
            over = ended is not None and self.run.is_older(ended, self.run.use.retention.jobs)
            if over or self.run.is_orphan(job.function):
                self.run.counts["jobs"] += 1
                if not self.run.dry_run:
                    self.run.use.jobs.delete(job.name)
            elif ended is None:
                self.run.running.add(f"{job.function}/{job.build_id}")
                self.run.building.add(job.function)
            else:
                self.run.ended[f"{job.function}/{job.build_id}"] = ended
                self._notify(job, ended)

    def _notify(self, job: BuildJob, ended: datetime) -> None:
        """Notify the watchers of a Job whose end was not handled.

        An ApiServerSource that was down when the Job ended sends no event about it later.
        """
        waiting = job.function in self.run.records.under_way and self.run.records.is_newest_build(
            job.function, job.build_id
        )
        if waiting and self.run.is_older(ended, self.run.use.retention.untold_after):
            self.run.counts["notified_jobs"] += 1
            if not self.run.dry_run:
                self.run.use.jobs.notify(job.name)

    def stuck_builds(self) -> None:
        """Record builds that vanished half-way as failed."""
        for function, work in self.run.records.under_way.items():
            self.run.check_time()
            said = work.build
            if self._runs(function, said):
                continue
            times = (
                said.finished_at,
                self.run.ended.get(f"{function}/{said.id}"),
                said.started_at,
                work.requested_at,
            )
            since = next(time for time in times if time is not None)
            if self.run.is_older(since, self.run.use.retention.stuck_after):
                self.run.counts["stuck_builds"] += 1
                if not self.run.dry_run:
                    self._record_as_lost(function, work.version)

    def missed_records(self) -> None:
        """Have records reported again that nobody has taken up.

        An ApiServerSource that was down when they were applied sends no event about them later.
        """
        for function, since in self.run.records.not_taken_up:
            self.run.check_time()
            if self.run.is_older(since, self.run.use.retention.untold_after):
                self.run.counts["notified_records"] += 1
                if not self.run.dry_run:
                    self.run.use.records.remind(function, self.run.now)

    def _record_as_lost(self, function: FunctionId, version: str) -> None:
        """Unless somebody wrote it since: the next pass looks again."""
        with suppress(PermanentError):  # it cannot be read any more
            record = self.run.use.records.get(function)
            if record is not None and record.resource_version == version:
                update_status(self.run.use.records, record, self._as_lost)

    def _runs(self, function: FunctionId, said: BuildStatus) -> bool:
        """Whether its own Job runs: the equal source of another lambda has an equal build id."""
        return f"{function}/{said.id}" in self.run.running

    def _as_lost(self, current: LambdaFunction) -> LambdaFunctionStatus | None:
        said = current.status.build
        if said is None or current.status.phase not in UNDER_WAY or self._runs(current.id, said):
            return None
        update = {"finished_at": self.run.now, "reason": LOST.reason, "message": LOST.message}
        return failed_status(current, said.model_copy(update=update), LOST, self.run.now)
