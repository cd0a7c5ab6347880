"""build-start: from a request to a running build Job, or straight to a finished image."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from knative_lambda.domain import build
from knative_lambda.domain.build import JobState
from knative_lambda.domain.conditions import delayed_status, is_delayed, rejected_status
from knative_lambda.domain.errors import (
    InvalidContentError,
    PermanentError,
    SourceNotFoundError,
    SourceUnavailableError,
    UnreadableRecordError,
)
from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction, Phase
from knative_lambda.use_cases.accept_request import AcceptRequest
from knative_lambda.use_cases.build_identity import BuildIdentity, requested
from knative_lambda.use_cases.install_packages import InstallPackages
from knative_lambda.use_cases.kept_packages import PackagesNotes
from knative_lambda.use_cases.next_step import NextStep, reply_of
from knative_lambda.use_cases.records import update_status
from knative_lambda.use_cases.request_stamps import read_stamp, superseded

if TYPE_CHECKING:
    from knative_lambda.domain.events import BuildStart, Event, Reply
    from knative_lambda.domain.lambda_function import LambdaFunctionStatus
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.packages import PackagesPolicy
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        ObjectStorage,
    )
    from knative_lambda.use_cases.admit_builds import AdmitBuilds
    from knative_lambda.use_cases.packages_request import PackagesRequest
    from knative_lambda.use_cases.prepare_source import PreparedSource, PrepareSource

# A minute is far more than it takes. Whoever dies meanwhile gets the event again.
_EVENT_IS_IN_HAND = timedelta(minutes=1)
_LONGEST_MESSAGE = 4096


class _Found(NamedTuple):
    """Digests of what a build needs not make, as it is in the registry."""

    image: str | None
    packages: str | None


_NOTHING = _Found(image=None, packages=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class StartBuild:
    """Make the build of a request happen; a redelivery finds what was made before.

    Events write the request into the record, people and their tools apply the record itself. From
    there on both are one.
    """

    records: LambdaFunctions
    jobs: BuildJobs
    registry: ImageRegistry
    storage: ObjectStorage
    prepare: PrepareSource
    admission: AdmitBuilds
    clock: Clock
    packages: PackagesPolicy
    builder_version: str
    storage_url: str
    registry_url: str
    job_urls_expire_in: timedelta

    def __call__(
        self, event: Event, function: FunctionId, data: BuildStart, *, ages: bool = True
    ) -> Reply:
        """Write an event's request into the record, and start the shortest way to its image.

        `ages`: whether packages that are too old are installed anew.

        `build.started` (packages are being installed), `build.packaged` (nothing has to be),
        `build.complete` (the image is there, or can never be) or `build.superseded`.
        """
        stamp = read_stamp(event, self.clock)
        wanted = LambdaFunction(
            id=function,
            spec=data.spec,
            stamp=stamp,
            event_stamp=stamp,
            set_fields=sorted(set(data.set_fields)),
        )
        # Read before anything is recorded: a source that is not there changes nothing.
        with self.prepare(function, wanted.spec) as prepared:
            record = self._accept_request(wanted, data.replaces)
            if record.stamp != stamp:
                return superseded(function, record.stamp)
            return self._take_up(record, prepared, refresh=data.refresh, ages=ages)

    def applied(self, function: FunctionId) -> Reply | None:
        """Start what a record asks for that somebody applied; None where that is done already.

        Costs one read where it is. A request that can never work is told in the record's status.
        """
        record = self._not_taken_up(function)
        if record is None:
            return None
        try:
            with self.prepare(function, record.spec) as prepared:
                return self._take_up(record, prepared, refresh=record.refresh, ages=True)
        except PermanentError as error:
            self._reject(record, error)
            raise
        except SourceUnavailableError as error:
            self._delay(record, error)
            raise

    def _not_taken_up(self, function: FunctionId) -> LambdaFunction | None:
        try:
            record = self.records.get(function)
        except UnreadableRecordError:
            self.records.refuse(function, self.clock.now())
            return None
        if record is None or record.is_being_deleted or record.is_observed:
            return None
        # Whoever has that event in hand is about to take up what it wrote.
        is_in_hand = abs(self.clock.now() - record.stamp.time) < _EVENT_IS_IN_HAND
        return record if record.is_applied or not is_in_hand else None

    def _reject(self, record: LambdaFunction, error: PermanentError) -> None:
        now = self.clock.now()

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if current.stamp != record.stamp or current.is_being_deleted or current.is_observed:
                return None
            generation, request = current.generation, current.stamp.key
            return rejected_status(current.status, generation, request, error, now)

        update_status(self.records, record, change)

    def _delay(self, record: LambdaFunction, error: SourceUnavailableError) -> None:
        """Say why it takes long; the Broker comes again, and its author may have named no host.

        Once, in the first words: each write makes an event, which is delivered many times, and a
        host may find new words for each delivery.
        """
        now = self.clock.now()

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if current.stamp != record.stamp or current.is_being_deleted or current.is_observed:
                return None
            return (
                None
                if is_delayed(current.status, error)
                else delayed_status(current.status, error, now)
            )

        update_status(self.records, record, change)

    def _take_up(
        self, record: LambdaFunction, prepared: PreparedSource | None, *, refresh: bool, ages: bool
    ) -> Reply:
        """Take the shortest lane to the image of a request that is in the record."""
        if record.requested_build is not None:
            return reply_of(record, record.requested_build)  # a redelivery
        if prepared is None:
            return self._use_image(record)
        source, asked = prepared.source, prepared.request
        identity = BuildIdentity(
            clock=self.clock,
            policy=self.packages,
            builder_version=self.builder_version,
            source_commit=prepared.commit,
        )
        known = None if isinstance(asked, InvalidContentError) else asked
        whole = (record, prepared.sha256, prepared.base_image, known)
        said = identity(*whole, refresh=refresh, ages=ages)
        if isinstance(asked, InvalidContentError):
            return self._fail(record, said, asked)
        found = self._find(record.id, said)
        if found != _NOTHING:
            said, is_too_old = self._aged(record, said)
            if is_too_old and ages:
                said = identity(*whole, refresh=True, ages=ages)
                found = _NOTHING
        return self._build(record, said, source, asked, found)

    def _aged(self, record: LambdaFunction, said: BuildStatus) -> tuple[BuildStatus, bool]:
        """Return the build with the age of its kept packages, and whether they are too old.

        The record knows those of its newest image, and a note those of an image before.
        """
        before = record.status.packages
        if said.packages_key is None or (before is not None and before.key == said.packages_key):
            return said, False
        notes = PackagesNotes(storage=self.storage, storage_url=self.storage_url)
        kept = notes.read(record.id, said.packages_key)
        if kept is None:
            return said, False
        age = self.clock.now() - kept.since
        update = {"packages_pinned": kept.pinned, "packages_resolved_at": kept.since}
        return said.model_copy(update=update), not kept.pinned and age > self.packages.max_age

    def _find(self, function: FunctionId, said: BuildStatus) -> _Found:
        """Look for the image and, where there is none yet, for its packages."""
        image = self.registry.find(self._repository_url(function), build.image_tag(said.id))
        return _Found(image, self._kept_packages(function, said) if image is None else None)

    def _build(
        self,
        record: LambdaFunction,
        said: BuildStatus,
        source: BinaryIO,
        request: PackagesRequest | None,
        found: _Found,
    ) -> Reply:
        """Take the shortest lane: the image is there, or its packages are, or they are not."""
        if found.image is not None:
            return self._complete(record, said, found.image)
        if request is None or found.packages is not None:
            return self._package(record, said, source, found.packages)
        return self._install(record, said, source, request)

    def _use_image(self, record: LambdaFunction) -> Reply:
        digest = (record.spec.source.image or "").rpartition("@")[2]
        id_ = build.build_id(
            source_sha256=digest.rpartition(":")[2],
            runtime=record.spec.runtime,
            base_image_digest="",
            builder_version=self.builder_version,
            packages_key="",
        )
        return self._complete(record, requested(record, id_), digest)

    def _accept_request(self, wanted: LambdaFunction, replaces: str | None) -> LambdaFunction:
        accept = AcceptRequest(
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=self.storage_url,
        )
        return accept(wanted, replaces)

    def _kept_packages(self, function: FunctionId, said: BuildStatus) -> str | None:
        """Return the digest of the packages, where they are kept from an earlier build."""
        if said.packages_key is None:
            return None
        tag = build.packages_tag(said.packages_key)
        return self.registry.find(self._repository_url(function), tag)

    def _install(
        self,
        record: LambdaFunction,
        said: BuildStatus,
        source: BinaryIO,
        request: PackagesRequest,
    ) -> Reply:
        """Have a Job install the packages."""
        job = self.jobs.get(build.job_name(record.id, said.id))
        if job is not None and job.state is JobState.SUCCEEDED and self._has_left(record.id, said):
            # The Job of an equal request, whose packages publish is about to keep.
            left = said.model_copy(update={"packages_pinned": job.pinned})
            return self._package(record, left, source, None)
        self._store_source(record.id, said, source)
        job = self._install_packages(record, said, source, request, job)
        started = said.model_copy(update={"job": job.name, "started_at": job.created_at})
        waits = job.state is JobState.WAITING
        reply = self._next_step(record, Phase.BUILDING, started, waits=waits)
        if waits:
            # It may have room by now, and whoever made that may have looked before it was there.
            self.admission(newest=job.name)
        return reply

    def _has_left(self, function: FunctionId, said: BuildStatus) -> bool:
        """Whether a Job's packages are in storage, or kept since."""
        try:
            self.storage.describe(self.storage_url + build.packages_object_key(function, said.id))
        except SourceNotFoundError:
            return self._kept_packages(function, said) is not None
        return True

    def _package(
        self,
        record: LambdaFunction,
        said: BuildStatus,
        source: BinaryIO,
        kept: str | None,
    ) -> Reply:
        """Leave the rest to publish: nothing has to be installed."""
        self._store_source(record.id, said, source)
        ready = said.model_copy(update={"started_at": self.clock.now()})
        return self._next_step(record, Phase.BUILDING, ready, uses=kept)

    def _store_source(self, function: FunctionId, said: BuildStatus, source: BinaryIO) -> None:
        source.seek(0)
        self.storage.write(self.storage_url + build.source_key(function, said.id), source)

    def _complete(self, record: LambdaFunction, said: BuildStatus, digest: str) -> Reply:
        done = said.model_copy(update={"digest": digest, "finished_at": self.clock.now()})
        return self._next_step(record, Phase.DEPLOYING, done, uses=digest)

    def _fail(self, record: LambdaFunction, said: BuildStatus, error: InvalidContentError) -> Reply:
        """Leave it to build-complete to record that no image can be made of this source."""
        failed = said.model_copy(
            update={"reason": error.reason, "message": error.message[:_LONGEST_MESSAGE]}
        )
        return self._next_step(record, Phase.BUILDING, failed)

    @property
    def _next_step(self) -> NextStep:
        return NextStep(records=self.records, jobs=self.jobs, clock=self.clock)

    @property
    def _install_packages(self) -> InstallPackages:
        return InstallPackages(
            jobs=self.jobs,
            storage=self.storage,
            admission=self.admission,
            clock=self.clock,
            storage_url=self.storage_url,
            job_urls_expire_in=self.job_urls_expire_in,
            packages_max_bytes=self.packages.max_bytes,
        )

    def _repository_url(self, function: FunctionId) -> str:
        return f"{self.registry_url}/{function.namespace}/{function.name}"
