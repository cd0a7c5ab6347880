"""build-start: releases builds that wait when there is room, and tells the others their places.

Each pass looks at the Jobs alone and repeats what an earlier one left half done, so whoever dies in
the middle only delays. Passes at the same time pick the same builds: each is released once.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildAccess
from knative_lambda.domain.build_queue import may_run_now, place_in_words, waiting_in_order
from knative_lambda.domain.conditions import with_condition
from knative_lambda.domain.errors import UnreadableRecordError
from knative_lambda.domain.events import BuildStarted
from knative_lambda.domain.lambda_function import QUEUED, Condition
from knative_lambda.use_cases.job_end import await_end
from knative_lambda.use_cases.records import update_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from knative_lambda.domain.build_queue import BuildLimits, QueuedBuild
    from knative_lambda.domain.events import Reply
    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionStatus
    from knative_lambda.ports import BuildJobs, BuildQueue, Clock, LambdaFunctions, ObjectStorage

_ROUNDS = 10
_PLACES = 10
_REMOVED_WITHIN = timedelta(seconds=5)
_ENDED_WITHIN = timedelta(seconds=5)
_PAUSE_SECONDS = 0.2


class _Outcome(Enum):
    RELEASED = "released"
    UNDECIDED = "undecided"  # nobody has written yet which build the record means
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmitBuilds:
    """Two passes at once may exceed a limit by the builds that ended or came between their looks.

    A build that the record does not mean any more is removed instead of released.
    """

    queue: BuildQueue
    jobs: BuildJobs
    records: LambdaFunctions
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    limits: BuildLimits
    urls_expire_in: timedelta
    packages_max_bytes: int
    pause: Callable[[float], None] = time.sleep

    def __call__(self, *, places: int = _PLACES, newest: str | None = None) -> Reply | None:
        """Release all for which there is room; reply `build.started` of the first.

        Of the others only the first `places` and the `newest` are told where they stand: it is a
        write for each.
        """
        released: list[QueuedBuild] = []
        undecided: set[str] = set()
        # A look at a build that cannot be released is a turn of its tenant, however many it has.
        turns: Counter[str] = Counter()
        for _ in range(_ROUNDS):
            builds = [each for each in self.queue.builds() if each.name not in undecided]
            candidates = may_run_now(builds, self.limits, turns)
            outcomes = {each.name: self._settle(each) for each in candidates}
            released += [each for each in candidates if outcomes[each.name] is _Outcome.RELEASED]
            turns.update(
                each.function.namespace
                for each in candidates
                if outcomes[each.name] is not _Outcome.RELEASED
            )
            undecided |= {name for name, each in outcomes.items() if each is _Outcome.UNDECIDED}
            if all(each is _Outcome.RELEASED for each in outcomes.values()):
                waiting = waiting_in_order([_after(each, released) for each in builds])
                for place, queued in enumerate(waiting, start=1):
                    if place <= places or queued.name == newest:
                        self._tell(queued, place_in_words(place, len(waiting)))
                break
        return _started(released[0]) if released else None

    def after(self, job: str) -> Reply | None:
        """Do the same when this build has ended well; nobody needs what opens its objects then.

        Its packages are known to be there before it is known that it has ended.
        """
        await_end(self.jobs, job, clock=self.clock, pause=self.pause, within=_ENDED_WITHIN)
        self.jobs.close(job)
        return self()

    def after_failure(self, job: str) -> Reply | None:
        """Do the same once this build has made room: build-complete is removing what is left of it.

        Both get `build.failed` at the same time; what takes too long is left to the next pass.
        """
        self.jobs.close(job)
        until = self.clock.now() + _REMOVED_WITHIN
        while self._holds_up(job) and self.clock.now() < until:
            self.pause(_PAUSE_SECONDS)
        return self()

    def _holds_up(self, job: str) -> bool:
        builds = self.queue.builds()
        return any(each.waits for each in builds) and any(
            each.name == job and not each.waits for each in builds
        )

    def has_room(self, wanted: QueuedBuild) -> bool:
        """Whether a new build may run at once; one that takes the place of older ones may.

        Older builds of the same lambda are superseded: those that wait are removed, and those that
        run as well if this one had to wait for them.
        """
        builds = self.queue.builds(exact=False)
        older = [each for each in builds if _is_older(each, wanted)]
        if not any(each.waits for each in builds) and self._fits(builds, wanted):
            return True
        self._withdraw([each for each in older if each.waits])
        builds = [
            each for each in self.queue.builds() if not (each.waits and _is_older(each, wanted))
        ]
        if self._fits(builds, wanted):
            return True
        self._withdraw([each for each in older if not each.waits])
        return self._fits([each for each in builds if not _is_older(each, wanted)], wanted)

    def _fits(self, builds: Sequence[QueuedBuild], wanted: QueuedBuild) -> bool:
        return wanted in may_run_now([*builds, wanted], self.limits)

    def _withdraw(self, builds: Sequence[QueuedBuild]) -> None:
        for each in builds:
            self.queue.withdraw(each)

    def _settle(self, queued: QueuedBuild) -> _Outcome:
        try:
            record = self.records.get(queued.function)
        except UnreadableRecordError:
            return _Outcome.UNDECIDED
        if record is None or _is_unwanted(record, queued):
            self.queue.withdraw(queued)
            return _Outcome.GONE
        if not _is_wanted(record, queued):
            return _Outcome.UNDECIDED
        # Said first: a build of which this was not said would look as if it waited to its end.
        if not self._say(record, queued, reason="", message=""):
            return _Outcome.GONE
        is_released = self.queue.release(queued, self._access(queued))
        return _Outcome.RELEASED if is_released else _Outcome.GONE

    def _access(self, queued: QueuedBuild) -> BuildAccess:
        function, id_ = queued.function, queued.build_id
        context_uri = self.storage_url + build.context_key(function, id_)
        result_uri = self.storage_url + build.packages_object_key(function, id_)
        return BuildAccess(
            function=function,
            name=queued.name,
            context_url=self.storage.download_url(context_uri, expires_in=self.urls_expire_in),
            upload=self.storage.upload_url(
                result_uri, expires_in=self.urls_expire_in, max_bytes=self.packages_max_bytes
            ),
        )

    def _tell(self, queued: QueuedBuild, place: str) -> None:
        with suppress(UnreadableRecordError):
            record = self.records.get(queued.function)
            if record is None or _is_unwanted(record, queued):
                self.queue.withdraw(queued)
            else:
                self._say(record, queued, reason=QUEUED, message=place)

    def _say(
        self, record: LambdaFunction, queued: QueuedBuild, *, reason: str, message: str
    ) -> bool:
        """Write into the record why its build is not ready; False if it means another by now."""
        now = self.clock.now()
        told = Condition(
            type="BuildReady",
            status="Unknown",
            reason=reason,
            message=message,
            last_transition_time=now,
        )

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if current.is_being_deleted or not _is_wanted(current, queued):
                return None
            conditions = with_condition(current.status.conditions, told, now=now)
            return current.status.model_copy(update={"conditions": conditions})

        return update_status(self.records, record, change) is not None


def _after(queued: QueuedBuild, released: Sequence[QueuedBuild]) -> QueuedBuild:
    """Return it as it is now that those were released."""
    return replace(queued, waits=queued.waits and queued not in released)


def _is_wanted(record: LambdaFunction, queued: QueuedBuild) -> bool:
    said = record.requested_build
    return (
        said is not None
        and said.id == queued.build_id
        and said.job == queued.name
        and said.completed_by is None
        and not record.is_being_deleted
    )


def _is_unwanted(record: LambdaFunction, queued: QueuedBuild) -> bool:
    """Whether the record means another build; not while it does not say which."""
    if not record.is_observed and not record.is_being_deleted:
        return False
    return not _is_wanted(record, queued)


def _is_older(queued: QueuedBuild, wanted: QueuedBuild) -> bool:
    return queued.function == wanted.function and queued.request_id < wanted.request_id


def _started(queued: QueuedBuild) -> Reply:
    data = BuildStarted(build_id=queued.build_id, job=queued.name)
    return events.Reply(type=events.BUILD_STARTED, function=queued.function, data=data)
