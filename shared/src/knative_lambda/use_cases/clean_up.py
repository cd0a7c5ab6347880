"""cleanup: collect what nobody needs, and record the outcome of builds whose end nobody saw."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from knative_lambda.domain import events
from knative_lambda.domain.events import CleanupDone
from knative_lambda.use_cases.clean_up_images import CleanUpImages
from knative_lambda.use_cases.clean_up_jobs import CleanUpJobs
from knative_lambda.use_cases.clean_up_objects import CleanUpObjects
from knative_lambda.use_cases.clean_up_pass import (
    CleanUpPass,
    CleanUpReach,
    TimeIsOverError,
    beginning_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.events import Reply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanUp(CleanUpReach):
    """One pass over everything; the next pass finds what a killed one left.

    A pass that runs out of time ends, and the next ones begin elsewhere. It keeps little of what
    it reads: there may be ten thousand lambdas, each with a Job, a context and a log.
    """

    def __call__(self, *, dry_run: bool) -> Reply:
        """Reply `cleanup.done` with what was collected, or would be without a dry run."""
        run = CleanUpPass(self, dry_run=dry_run)
        finished = _all_parts(run)
        old = run.old_base_images
        if old.count:
            some = ", ".join(old.names[:10])
            _log.info("%d lambdas stand on an old base image, such as %s", old.count, some)
        data = CleanupDone.model_validate(
            {
                **run.counts,
                "dry_run": dry_run,
                "finished": finished,
                "old_base_images": old.names,
                "old_base_image_count": old.count,
            }
        )
        return events.Reply(type=events.CLEANUP_DONE, function=None, data=data)


def _all_parts(run: CleanUpPass) -> bool:
    """Do everything; False where time ran out before that.

    What is running has to be known before anything may be removed. Each pass begins the rest
    with another part, so that none waits behind the others for ever. There are seven: passes
    that come once in two, three or 144 turns have to begin with each of them, too.
    """
    retention, jobs, images = run.use.retention, CleanUpJobs(run), CleanUpImages(run)
    objects = CleanUpObjects(run, images)
    parts: list[Callable[[], None]] = [
        images.images,
        partial(objects.stored_objects, "sources", "sources", retention.builds),
        objects.objects_of_jobs,
        partial(objects.stored_objects, "kept", "packages", retention.builds),
        partial(objects.stored_objects, "logs", "logs", retention.builds),
        partial(objects.stored_objects, "deleted", "tombstones", retention.tombstones),
        partial(objects.stored_objects, "dead-letters", "dead_letters", retention.dead_letters),
    ]
    try:
        jobs.jobs()
        jobs.stuck_builds()
        jobs.missed_records()
        for part in beginning_at(run.turn, parts):
            part()
    except TimeIsOverError:
        return False
    return True
