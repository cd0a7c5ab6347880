"""build-start: from a request to a running build Job, or straight to a finished image."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from knative_lambda.domain import build
from knative_lambda.domain.build import JobState
from knative_lambda.domain.errors import (
    InvalidContentError,
    PermanentError,
    SourceNotFoundError,
    UnsupportedRuntimeError,
)
from knative_lambda.domain.lambda_function import (
    BuildStatus,
    LambdaFunction,
    LambdaFunctionSpec,
    Phase,
)
from knative_lambda.use_cases.accept_request import AcceptRequest
from knative_lambda.use_cases.build_identity import BuildIdentity, requested
from knative_lambda.use_cases.install_packages import InstallPackages
from knative_lambda.use_cases.kept_packages import PackagesNotes
from knative_lambda.use_cases.next_step import NextStep, reply_of
from knative_lambda.use_cases.packages_request import read_request
from knative_lambda.use_cases.request_stamps import read_stamp, superseded
from knative_lambda.use_cases.source_image import check_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.domain.events import BuildStart, Event, Reply
    from knative_lambda.domain.language import Languages
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.domain.packages import PackagesPolicy
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        ObjectStorage,
        SourceArchives,
    )
    from knative_lambda.use_cases.admit_builds import AdmitBuilds
    from knative_lambda.use_cases.build_context import ContextPacker
    from knative_lambda.use_cases.packages_request import PackagesRequest

_SPOOL_BYTES = 4 * 1024 * 1024
_LONGEST_MESSAGE = 4096


class _Found(NamedTuple):
    """Digests of what a build needs not make, as it is in the registry."""

    image: str | None
    packages: str | None


_NOTHING = _Found(image=None, packages=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class StartBuild:
    """Record the request, then make its build happen; a redelivery finds what was made before."""

    records: LambdaFunctions
    jobs: BuildJobs
    registry: ImageRegistry
    storage: ObjectStorage
    packer: ContextPacker
    archives: SourceArchives
    admission: AdmitBuilds
    clock: Clock
    languages: Languages
    base_images: Mapping[str, str]
    packages: PackagesPolicy
    builder_version: str
    storage_url: str
    registry_url: str
    image_prefix: str
    job_urls_expire_in: timedelta

    def __call__(
        self, event: Event, function: FunctionId, data: BuildStart, *, ages: bool = True
    ) -> Reply:
        """Start the shortest way to an image of this source, and reply what the next step is.

        `ages`: whether packages that are too old are installed anew.

        `build.started` (packages are being installed), `build.packaged` (nothing has to be),
        `build.complete` (the image is there, or can never be) or `build.superseded`.
        """
        stamp = read_stamp(event, self.clock)
        spec, set_fields = data.spec, sorted(set(data.set_fields))
        wanted = LambdaFunction(id=function, spec=spec, stamp=stamp, set_fields=set_fields)
        base_image = self._base_image(spec)
        if spec.source.image is not None:
            check_image(
                function,
                spec.source.image,
                image_prefix=self.image_prefix,
                registry_url=self.registry_url,
            )
            return self._use_image(wanted, data, spec.source.image)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            source = cast("BinaryIO", spool)
            # Read before anything is recorded: a source that is not there changes nothing.
            sha256 = self._pack(function, spec, source)
            request = self._read_request(spec, source, sha256)
            record = self._accept_request(wanted, data.replaces)
            if record.stamp != stamp:
                return superseded(function, record.stamp)
            if record.requested_build is not None:
                return reply_of(record, record.requested_build)  # a redelivery
            identity = BuildIdentity(
                clock=self.clock, policy=self.packages, builder_version=self.builder_version
            )
            asked = None if isinstance(request, InvalidContentError) else request
            said = identity(record, sha256, base_image, asked, refresh=data.refresh, ages=ages)
            if isinstance(request, InvalidContentError):
                return self._fail(record, said, request)
            found = self._find(record.id, said)
            if found != _NOTHING:
                said, is_too_old = self._aged(record, said)
                if is_too_old and ages:
                    said = identity(record, sha256, base_image, asked, refresh=True, ages=ages)
                    found = _NOTHING
            return self._build(record, said, source, request, found)

    def _read_request(
        self, spec: LambdaFunctionSpec, source: BinaryIO, sha256: str
    ) -> PackagesRequest | InvalidContentError | None:
        """Return what the source asks for, or why nobody can tell."""
        try:
            return read_request(self.archives, self.languages.of(spec.runtime), source, sha256)
        except InvalidContentError as error:
            return error

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

    def _use_image(self, wanted: LambdaFunction, data: BuildStart, image: str) -> Reply:
        record = self._accept_request(wanted, data.replaces)
        if record.stamp != wanted.stamp:
            return superseded(record.id, record.stamp)
        if record.requested_build is not None:
            return reply_of(record, record.requested_build)
        digest = image.rpartition("@")[2]
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
            records=self.records, storage=self.storage, storage_url=self.storage_url
        )
        return accept(wanted, replaces)

    def _kept_packages(self, function: FunctionId, said: BuildStatus) -> str | None:
        """Return the digest of the packages, where they are kept from an earlier build."""
        if said.packages_key is None:
            return None
        tag = build.packages_tag(said.packages_key)
        return self.registry.find(self._repository_url(function), tag)

    def _base_image(self, spec: LambdaFunctionSpec) -> str:
        try:
            return self.base_images[spec.runtime]
        except KeyError:
            known = ", ".join(sorted(self.base_images))
            raise UnsupportedRuntimeError(
                f"{spec.runtime} is not installed here; choose one of {known}", field="runtime"
            ) from None

    def _pack(
        self,
        function: FunctionId,
        spec: LambdaFunctionSpec,
        context: BinaryIO,
    ) -> str:
        try:
            return self.packer.pack(function, spec.source, context)
        except PermanentError as error:
            error.field = error.field or "source.uri"  # storage does not know the field of its URI
            raise

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
