"""cleanup: collect what nobody needs, and settle builds whose end nobody saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.errors import ConflictError, PermanentError
from knative_lambda.domain.events import CleanupDone
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.build_outcome import failed_status
from knative_lambda.use_cases.records import update_status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.events import Reply
    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionStatus
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )

_LIST_LIMIT = 1_000_000
_NEVER_CURRENT = {"deleted", "dead-letters"}
_LOST = BuildFailure(
    reason="BuildLost", message="nobody saw the end of this build; deploy again", is_users=False
)
_UNDER_WAY = {Phase.BUILDING, Phase.DEPLOYING}


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
    """One pass over everything; what a killed pass left is found by the next."""

    records: LambdaFunctions
    jobs: BuildJobs
    services: LambdaServices
    registry: ImageRegistry
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    registry_url: str
    retention: Retention

    def __call__(self, *, dry_run: bool) -> Reply:
        """Answer `cleanup.done` with what was collected, or in a dry run would be."""
        run = _Pass(self, dry_run=dry_run)
        run.jobs()
        run.stuck_builds()
        run.images()
        run.stored_objects()
        data = CleanupDone(dry_run=dry_run, **run.counts)
        return events.Reply(type=events.CLEANUP_DONE, function=None, data=data)


@dataclass
class _Pass:
    """What one pass has seen and counted."""

    use: CleanUp
    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)
    running: set[str] = field(default_factory=set)
    building: set[FunctionId] = field(default_factory=set)
    ended: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now: datetime = self.use.clock.now()
        self.records = {record.id: record for record in self.use.records.list()}
        self.current = {
            f"{record.id}/{record.status.build.id}"
            for record in self.records.values()
            if record.status.build is not None
        }

    def jobs(self) -> None:
        """Remove Jobs long over, and Jobs whose lambda is gone."""
        for job in self.use.jobs.list():
            ended = job.finished_at
            over = ended is not None and self._older(ended, self.use.retention.jobs)
            if over or self._is_orphan(job.function):
                self.counts["jobs"] += 1
                if not self.dry_run:
                    self.use.jobs.delete(job.name)
            elif ended is None:
                self.running.add(job.build_id)
                self.building.add(job.function)
            else:
                self.ended[job.build_id] = ended
                self._announce(job, ended)

    def _announce(self, job: BuildJob, ended: datetime) -> None:
        """Have an end told again that nobody dealt with.

        An ApiServerSource that was down when the Job ended never tells of it by itself.
        """
        record = self.records.get(job.function)
        if record is None or record.status.phase not in _UNDER_WAY:
            return
        said = record.status.build
        waiting = said is not None and said.id == job.build_id
        if waiting and self._older(ended, self.use.retention.untold_after):
            self.counts["announced_jobs"] += 1
            if not self.dry_run:
                self.use.jobs.announce(job.name)

    def stuck_builds(self) -> None:
        """Say of builds that vanished half-way that they failed."""
        for record in self.records.values():
            said = record.status.build
            if said is None or record.status.phase not in _UNDER_WAY or said.id in self.running:
                continue
            times = (said.finished_at, self.ended.get(said.id), said.started_at, record.wish.time)
            since = next(time for time in times if time is not None)
            if self._older(since, self.use.retention.stuck_after):
                self.counts["stuck_builds"] += 1
                if not self.dry_run:
                    update_status(self.use.records, record, self._as_lost)

    def images(self) -> None:
        """Remove images that no Revision and no record refers to, once their context is gone too.

        The context is as old as the build: its retention is the grace period of the image.
        """
        in_use = set(self.use.services.images_in_use())
        contexts: dict[FunctionId, set[str]] = defaultdict(set)
        for function, build_id in self._stored_below("contexts"):
            contexts[function].add(build_id)
        for record in self.records.values():
            if record.id not in self.building:
                self._collect_images(record, contexts[record.id], in_use)
        # A build that was removed with its lambda may have pushed its image after that.
        deleted = {function for function, _ in self._stored_below("deleted")}
        for function in sorted((deleted | contexts.keys()) - self.records.keys()):
            if self._is_orphan(function):
                _, unwanted = self._digests(function, wanted=set())
                self._remove_images(function, unwanted - _used_of(function, in_use))

    def _collect_images(self, record: LambdaFunction, contexts: set[str], in_use: set[str]) -> None:
        said = record.status.build
        builds = contexts if said is None else contexts | {said.id}
        wanted, unwanted = self._digests(record.id, wanted={build.image_tag(id_) for id_ in builds})
        # Builds that differ can make the same image, which then has a wanted tag beside others.
        garbage = unwanted - wanted - _used_of(record.id, in_use)
        garbage.discard(_digest(record.spec.source.image or ""))
        if self.dry_run:
            self.counts["images"] += len(garbage)
            return
        if not garbage and not record.status.collecting:
            return
        # Whoever deploys compares with this note, and any wish since this pass began conflicts
        # with writing it: an image is either removed or found by a wish, never both.
        noting = record.model_copy(update={"status": _with_note(record, sorted(garbage))})
        try:
            noted = self.use.records.replace_status(noting)
        except ConflictError:
            return
        self._remove_images(record.id, garbage)
        update_status(self.use.records, noted, lambda current: _with_note(current, []))

    def _remove_images(self, function: FunctionId, digests: set[str]) -> None:
        for digest in sorted(digests):
            self.counts["images"] += 1
            if not self.dry_run:
                self.use.registry.delete(self._repository(function), digest)

    def _digests(self, function: FunctionId, *, wanted: set[str]) -> tuple[set[str], set[str]]:
        """The images of a lambda: those behind wanted tags, and those behind other tags."""
        repository = self._repository(function)
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for tag in self.use.registry.list_tags(repository):
            digest = self.use.registry.find(repository, tag)
            if digest is not None:
                found[tag in wanted].add(digest)
        return found[True], found[False]

    def _repository(self, function: FunctionId) -> str:
        return f"{self.use.registry_url}/{function.namespace}/{function.name}"

    def stored_objects(self) -> None:
        """Remove contexts and logs of unwanted builds, old tombstones and old dead letters."""
        retention = self.use.retention
        for folder, counted, kept_for in (
            ("contexts", "contexts", retention.builds),
            ("logs", "logs", retention.builds),
            ("deleted", "tombstones", retention.tombstones),
            ("dead-letters", "dead_letters", retention.dead_letters),
        ):
            root = f"{self.use.storage_url}{folder}/"
            for stored in self.use.storage.list(root, limit=_LIST_LIMIT):
                if not self._older(stored.modified_at, kept_for):
                    continue
                if folder not in _NEVER_CURRENT and self._is_current(stored.uri.removeprefix(root)):
                    continue
                self.counts[counted] += 1
                if not self.dry_run:
                    self.use.storage.delete(stored.uri)

    def _is_orphan(self, function: FunctionId) -> bool:
        # Asked again: a record may have been made, with its Job, since the records were listed.
        try:
            return function not in self.records and self.use.records.get(function) is None
        except PermanentError:
            return False  # there is one, which cannot be read

    def _stored_below(self, folder: str) -> Iterator[tuple[FunctionId, str]]:
        """Whose objects `<namespace>/<name>[/<build id>]` there are, and of which builds."""
        root = f"{self.use.storage_url}{folder}/"
        for stored in self.use.storage.list(root, limit=_LIST_LIMIT):
            namespace, _, rest = stored.uri.removeprefix(root).partition("/")
            name, _, build_id = rest.partition("/")
            with suppress(ValueError):  # none of ours
                yield FunctionId.parse(f"{namespace}/{name}"), build_id

    def _is_current(self, key: str) -> bool:
        """Whether `<namespace>/<name>/<build id>` is what a lambda runs or is about to run."""
        key = key.removesuffix(".log")
        return key in self.current or key.rpartition("/")[2] in self.running

    def _as_lost(self, current: LambdaFunction) -> LambdaFunctionStatus | None:
        said = current.status.build
        if said is None or current.status.phase not in _UNDER_WAY or said.id in self.running:
            return None
        update = {"finished_at": self.now, "reason": _LOST.reason, "message": _LOST.message}
        return failed_status(current, said.model_copy(update=update), _LOST, self.now)

    def _older(self, time: datetime, age: timedelta) -> bool:
        return self.now - time > age


def _with_note(record: LambdaFunction, collecting: list[str]) -> LambdaFunctionStatus:
    return record.status.model_copy(update={"collecting": collecting})


def _used_of(function: FunctionId, images: set[str]) -> set[str]:
    """The digests of this lambda's images; the registry in front may have several names."""
    own = f"/{function}"
    return {_digest(image) for image in images if image.partition("@")[0].endswith(own)}


def _digest(image: str) -> str:
    return image.rpartition("@")[2]
