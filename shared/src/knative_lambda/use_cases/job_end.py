"""Waiting for the end of a build's Job, which is known later than what it left in storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.build import JobState
from knative_lambda.domain.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.ports import BuildJobs, Clock

_PAUSE_SECONDS = 0.2


def await_end(
    jobs: BuildJobs, name: str, *, clock: Clock, pause: Callable[[float], None], within: timedelta
) -> BuildJob | None:
    """Return the Job as it is once it does not run any more; None for one that is gone.

    `NotReadyError` for one that still runs after that time, so that the Broker comes again.
    """
    until = clock.now() + within
    while (job := jobs.get(name)) is not None and job.state is JobState.RUNNING:
        if clock.now() >= until:
            raise NotReadyError(f"the Job {name} has not ended yet; looking again later")
        pause(_PAUSE_SECONDS)
    return job
