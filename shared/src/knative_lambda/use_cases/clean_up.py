"""cleanup: collect what nobody needs, and record the outcome of builds whose end nobody saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.errors import ConflictError, PermanentError
from knative_lambda.domain.events import CleanupDone
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.build_outcome import failed_status
from knative_lambda.use_cases.records import update_status
from knative_lambda.use_cases.seen_records import UNDER_WAY, SeenRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.events import Reply
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        LambdaFunction,
        LambdaFunctionStatus,
    )
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )
    from knative_lambda.use_cases.seen_records import SeenRecord

_Item = TypeVar("_Item")

_LIST_LIMIT = 1_000_000
# The interval of the schedule: the next pass begins with something else.
_TURN = timedelta(minutes=10)
# By this share of a list its beginning moves from turn to turn. Multiples of the golden ratio are
# spread evenly over the list, however long it is and however far a pass gets.
_STEP = (5**0.5 - 1) / 2
_LEAD_TO_IMAGES = {"contexts", "deleted"}
_NEVER_CURRENT = {"deleted", "dead-letters"}
_LOST = BuildFailure(
    reason="BuildLost", message="nobody saw the end of this build; deploy again", is_users=False
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long things are kept once nothing refers to them."""

    jobs: timedelta
    builds: timedelta
    tombstones: timedelta
    dead_letters: timedelta
    untold_after: timedelta
    stuck_after: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanUp:
    """One pass over everything; the next pass finds what a killed one left.

    A pass that runs out of time ends, and the next ones begin elsewhere. It keeps little of what
    it reads: there may be ten thousand lambdas, each with a Job, a context and a log.
    """

    records: LambdaFunctions
    jobs: BuildJobs
    services: LambdaServices
    registry: ImageRegistry
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    registry_url: str
    retention: Retention
    pass_timeout: timedelta

    def __call__(self, *, dry_run: bool) -> Reply:
        """Reply `cleanup.done` with what was collected, or would be without a dry run."""
        run = _Pass(self, dry_run=dry_run)
        finished = run.all_parts()
        data = CleanupDone(dry_run=dry_run, finished=finished, **run.counts)
        return events.Reply(type=events.CLEANUP_DONE, function=None, data=data)


class _TimeIsOverError(Exception):
    """The rest is left to the next passes."""


@dataclass
class _Pass:
    """What one pass has seen and counted."""

    use: CleanUp
    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)
    running: set[str] = field(default_factory=set)
    building: set[FunctionId] = field(default_factory=set)
    ended: dict[str, datetime] = field(default_factory=dict)
    looked_at: set[FunctionId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.now: datetime = self.use.clock.now()
        self.records = SeenRecords(self.use.records.list())

    def all_parts(self) -> bool:
        """Do everything; False where time ran out before that.

        What is running has to be known before anything may be removed. Each pass begins the rest
        with another part, so that none waits behind the others for ever.
        """
        retention = self.use.retention
        parts: list[Callable[[], None]] = [
            self.images,
            partial(self.stored_objects, "contexts", "contexts", retention.builds),
            partial(self.stored_objects, "logs", "logs", retention.builds),
            partial(self.stored_objects, "deleted", "tombstones", retention.tombstones),
            partial(self.stored_objects, "dead-letters", "dead_letters", retention.dead_letters),
        ]
        try:
            self.jobs()
            self.stuck_builds()
            for part in _beginning_at(self.turn, parts):
                part()
        except _TimeIsOverError:
            return False
        return True

    @property
    def turn(self) -> int:
        """The number of this tick of the schedule."""
        return int(self.now.timestamp() // _TURN.total_seconds())

    def _check_time(self) -> None:
        """End the pass where time has run out; never between two steps that belong together."""
        if self.use.clock.now() - self.now > self.use.pass_timeout:
            raise _TimeIsOverError

    def jobs(self) -> None:
        """Remove Jobs that ended long ago, and Jobs whose lambda is gone."""
        for job in self.use.jobs.list():
            self._check_time()
            ended = job.finished_at
            over = ended is not None and self._older(ended, self.use.retention.jobs)
            if over or self._is_orphan(job.function):
                self.counts["jobs"] += 1
                if not self.dry_run:
                    self.use.jobs.delete(job.name)
            elif ended is None:
                self.running.add(f"{job.function}/{job.build_id}")
                self.building.add(job.function)
            else:
                self.ended[f"{job.function}/{job.build_id}"] = ended
                self._notify(job, ended)

    def _notify(self, job: BuildJob, ended: datetime) -> None:
        """Notify the watchers of a Job whose end was not handled.

        An ApiServerSource that was down when the Job ended sends no event about it later.
        """
        waiting = job.function in self.records.under_way and self.records.is_newest_build(
            job.function, job.build_id
        )
        if waiting and self._older(ended, self.use.retention.untold_after):
            self.counts["notified_jobs"] += 1
            if not self.dry_run:
                self.use.jobs.notify(job.name)

    def stuck_builds(self) -> None:
        """Record builds that vanished half-way as failed."""
        for record in self.records.under_way.values():
            self._check_time()
            said = record.status.build
            if said is None or self._runs(record.id, said):
                continue
            times = (
                said.finished_at,
                self.ended.get(f"{record.id}/{said.id}"),
                said.started_at,
                record.stamp.time,
            )
            since = next(time for time in times if time is not None)
            if self._older(since, self.use.retention.stuck_after):
                self.counts["stuck_builds"] += 1
                if not self.dry_run:
                    update_status(self.use.records, record, self._as_lost)

    def images(self) -> None:
        """Remove images that no Revision and no record refers to, once their context is gone too.

        The context is as old as the build: its retention is the grace period of the image.
        """
        contexts: dict[FunctionId, set[str]] = defaultdict(set)
        for function, build_id in self._stored_below("contexts"):
            # The newest build's image is wanted anyway, and most contexts are of one.
            if not self.records.is_newest_build(function, build_id):
                contexts[function].add(build_id)
        # A build that was removed with its lambda may have pushed its image after that.
        deleted = {function for function, _ in self._stored_below("deleted")}
        gone = sorted(
            function for function in {*deleted, *contexts} if function not in self.records
        )
        known = len(self.records)
        begin = int(self.turn * _STEP % 1 * (known + len(gone)))
        for number in _beginning_at(begin, range(known + len(gone))):
            self._check_time()
            if number >= known:
                self._collect_images_of_gone(gone[number - known])
                continue
            seen = self.records[number]
            if seen.function not in self.building:
                self._collect_images(seen, contexts.get(seen.function, set()))

    @cached_property
    def _in_use(self) -> set[str]:
        """`<namespace>/<name>@<digest>`: the registry in front may have several names."""
        return {
            f"{function}@{_digest(image)}"
            for image in self.use.services.images_in_use()
            for function in _owner_of(image)
        }

    def _unused(self, function: FunctionId, digests: set[str]) -> set[str]:
        """Return those that no Revision uses; without any, nothing is asked."""
        return {digest for digest in digests if f"{function}@{digest}" not in self._in_use}

    def _collect_images_of_gone(self, function: FunctionId) -> None:
        """Remove all images of a lambda that is gone, once in a pass."""
        if function not in self.looked_at and self._is_orphan(function):
            self.looked_at.add(function)
            _, unwanted = self._digests(function, wanted=set())
            self._remove_images(function, self._unused(function, unwanted))

    def _collect_images(self, seen: SeenRecord, contexts: set[str]) -> None:
        function = seen.function
        builds = contexts if seen.build_id is None else contexts | {seen.build_id}
        wanted, unwanted = self._digests(function, wanted={build.image_tag(id_) for id_ in builds})
        # Builds that differ can make the same image, which then has a wanted tag beside others.
        garbage = self._unused(function, unwanted - wanted - {_digest(seen.image or "")})
        if self.dry_run:
            self.counts["images"] += len(garbage)
            return
        if not garbage and not seen.is_collecting:
            return
        # Whoever deploys checks this note, and any request since this pass began makes writing it a
        # conflict: an image is either removed or found by a request, never both.
        record = self._unchanged(seen)
        if record is None:
            return
        noting = record.model_copy(update={"status": _with_note(record, sorted(garbage))})
        try:
            noted = self.use.records.replace_status(noting)
        except ConflictError:
            return
        self._remove_images(function, garbage)
        update_status(self.use.records, noted, lambda current: _with_note(current, []))

    def _unchanged(self, seen: SeenRecord) -> LambdaFunction | None:
        """Return the record if it is still as this pass saw it; else None."""
        try:
            record = self.use.records.get(seen.function)
        except PermanentError:
            return None
        return record if record is not None and record.resource_version == seen.version else None

    def _remove_images(self, function: FunctionId, digests: set[str]) -> None:
        for digest in sorted(digests):
            self.counts["images"] += 1
            if not self.dry_run:
                self.use.registry.delete(self._repository(function), digest)

    def _digests(self, function: FunctionId, *, wanted: set[str]) -> tuple[set[str], set[str]]:
        """Return the images of a lambda: those behind wanted tags, and those behind other tags."""
        repository = self._repository(function)
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for tag in self.use.registry.list_tags(repository):
            digest = self.use.registry.find(repository, tag)
            if digest is not None:
                found[tag in wanted].add(digest)
        return found[True], found[False]

    def _repository(self, function: FunctionId) -> str:
        return f"{self.use.registry_url}/{function.namespace}/{function.name}"

    def stored_objects(self, folder: str, counted: str, kept_for: timedelta) -> None:
        """Remove what is old: contexts and logs of unwanted builds, tombstones, dead letters."""
        root = f"{self.use.storage_url}{folder}/"
        for stored in self.use.storage.list(root, limit=_LIST_LIMIT):
            self._check_time()
            if not self._older(stored.modified_at, kept_for):
                continue
            key = stored.uri.removeprefix(root)
            if folder not in _NEVER_CURRENT and self._is_current(key):
                continue
            if folder in _LEAD_TO_IMAGES:
                self._look_at_images_behind(key)
            self.counts[counted] += 1
            if not self.dry_run:
                self.use.storage.delete(stored.uri)

    def _look_at_images_behind(self, key: str) -> None:
        """Collect images of a lambda that is gone before the stored object that leads to them."""
        for function, _ in _function_of(key):
            if function not in self.records:
                self._collect_images_of_gone(function)

    def _is_orphan(self, function: FunctionId) -> bool:
        # Asked again: a record may have been made, with its Job, since the records were listed.
        try:
            return function not in self.records and self.use.records.get(function) is None
        except PermanentError:
            return False  # there is one that cannot be read

    def _stored_below(self, folder: str) -> Iterator[tuple[FunctionId, str]]:
        """Yield the lambda and build of each object `<namespace>/<name>[/<build id>]`."""
        root = f"{self.use.storage_url}{folder}/"
        for stored in self.use.storage.list(root, limit=_LIST_LIMIT):
            yield from _function_of(stored.uri.removeprefix(root))

    def _is_current(self, key: str) -> bool:
        """Whether `<namespace>/<name>/<build id>` is what a lambda runs or is about to run."""
        key = key.removesuffix(".log")
        namespace, _, rest = key.partition("/")
        name, _, build_id = rest.partition("/")
        newest = self.records.is_newest_build(FunctionId(namespace, name), build_id)
        return newest or key in self.running

    def _runs(self, function: FunctionId, said: BuildStatus) -> bool:
        """Whether its own Job runs: the equal source of another lambda has an equal build id."""
        return f"{function}/{said.id}" in self.running

    def _as_lost(self, current: LambdaFunction) -> LambdaFunctionStatus | None:
        said = current.status.build
        if said is None or current.status.phase not in UNDER_WAY or self._runs(current.id, said):
            return None
        update = {"finished_at": self.now, "reason": _LOST.reason, "message": _LOST.message}
        return failed_status(current, said.model_copy(update=update), _LOST, self.now)

    def _older(self, time: datetime, age: timedelta) -> bool:
        return self.now - time > age


def _function_of(key: str) -> Iterator[tuple[FunctionId, str]]:
    """Yield the lambda and build of an object `<namespace>/<name>[/<build id>]`; else nothing."""
    namespace, _, rest = key.partition("/")
    name, _, build_id = rest.partition("/")
    with suppress(ValueError):
        yield FunctionId.parse(f"{namespace}/{name}"), build_id


def _beginning_at(begin: int, items: Sequence[_Item]) -> Iterator[_Item]:
    """Return all items, beginning with the one of that number and wrapping around."""
    first = begin % len(items) if items else 0
    return chain(items[first:], items[:first])


def _with_note(record: LambdaFunction, collecting: list[str]) -> LambdaFunctionStatus:
    return record.status.model_copy(update={"collecting": collecting})


def _owner_of(image: str) -> Iterator[FunctionId]:
    """Yield the lambda of an image `<prefix>/<namespace>/<name>@<digest>`; else nothing."""
    before, *owner = image.partition("@")[0].rsplit("/", 2)
    if before and len(owner) == len(("namespace", "name")):
        yield FunctionId(*owner)


def _digest(image: str) -> str:
    return image.rpartition("@")[2]
