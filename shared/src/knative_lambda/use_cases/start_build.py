"""build-start: from a request to a running build Job, or straight to a finished image."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from knative_lambda.domain import build, events
from knative_lambda.domain.build import BuildOrder, JobState
from knative_lambda.domain.errors import (
    ConflictError,
    InvalidEventError,
    NotReadyError,
    PermanentError,
    UnreadableRecordError,
    UnsupportedRuntimeError,
    UnsupportedSourceError,
)
from knative_lambda.domain.events import BuildComplete, BuildStart, BuildStarted
from knative_lambda.domain.lambda_function import (
    BuildStatus,
    Condition,
    LambdaFunction,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    Phase,
)
from knative_lambda.use_cases.records import update_status, with_condition
from knative_lambda.use_cases.request_stamps import read_stamp, superseded
from knative_lambda.use_cases.tombstones import read_tombstone
from lambda_oci.references import normal_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import BuildJobs, Clock, ImageRegistry, LambdaFunctions, ObjectStorage
    from knative_lambda.use_cases.build_context import ContextPacker

_SPOOL_BYTES = 4 * 1024 * 1024
_WRITE_ATTEMPTS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class StartBuild:
    """Record the request, then make its build happen; a redelivery finds what was made before."""

    records: LambdaFunctions
    jobs: BuildJobs
    registry: ImageRegistry
    storage: ObjectStorage
    packer: ContextPacker
    clock: Clock
    base_images: Mapping[str, str]
    builder_version: str
    storage_url: str
    registry_url: str
    image_prefix: str
    download_expires_in: timedelta

    def __call__(self, event: Event, function: FunctionId, data: BuildStart) -> Reply:
        """Reply `build.started`, `build.complete` (nothing to build) or `build.superseded`."""
        stamp = read_stamp(event, self.clock)
        spec, set_fields = data.spec, sorted(set(data.set_fields))
        base_image = self._base_image(spec)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            context = cast("BinaryIO", spool)
            # Read before anything is recorded: a source that is not there changes nothing.
            sha256 = self._pack(function, spec, context)
            wanted = LambdaFunction(id=function, spec=spec, stamp=stamp, set_fields=set_fields)
            record = self._accept(wanted, data.replaces)
            if record.stamp != stamp:
                return superseded(function, record.stamp)
            build_id = build.build_id(
                source_sha256=sha256,
                runtime=spec.runtime,
                base_image_digest=base_image.rpartition("@")[2],
                builder_version=self.builder_version,
            )
            digest = self._finished_digest(function, spec, build_id)
            if digest is not None:
                return self._complete(record, build_id, digest)
            job = self._start_job(record, build_id, base_image, context, sha256)
        return self._started(record, job)

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
        if spec.source.image is not None:
            self._check_image(function, spec.source.image)
            return spec.source.image.rpartition(":")[2]
        try:
            return self.packer.pack(function, spec.source, context)
        except PermanentError as error:
            error.field = error.field or "source.uri"  # storage does not know the field of its URI
            raise

    def _check_image(self, function: FunctionId, image: str) -> None:
        """Reject images of other lambdas, which go with their lambda and belong to its tenant."""
        repository = normal_image(image).partition("@")[0]
        # Nodes may reach the registry by another name than the control plane.
        names = (self.image_prefix, self.registry_url.partition("://")[2])
        prefixes = [normal_image(name) for name in names]
        if repository in {f"{prefix}/{function}" for prefix in prefixes}:
            return
        if any(repository.startswith(f"{prefix}/") for prefix in prefixes):
            own = f"{self.image_prefix}/{function}"
            raise UnsupportedSourceError(
                f"images of {function} begin with {own}@; it may not use those of other lambdas",
                field="source.image",
            )

    def _accept(self, wanted: LambdaFunction, replaces: str | None) -> LambdaFunction:
        """Return the record of the newest request, which is this one unless it came too late.

        A request that `replaces` a certain one is too late when that is no longer the newest.
        """
        function, stamp = wanted.id, wanted.stamp
        change = {"spec": wanted.spec, "stamp": stamp, "set_fields": wanted.set_fields}
        for _ in range(_WRITE_ATTEMPTS):
            try:
                record = self.records.get(function)
                if record is None:
                    return self._create(wanted, replaces)
                if record.is_being_deleted:
                    raise NotReadyError(f"{function} is being deleted; try again")
                if record.stamp == stamp or stamp.is_older_than(record.stamp):
                    return record
                if replaces not in {None, record.stamp.event_id}:
                    return record
                return self.records.replace_request(record.model_copy(update=change))
            except ConflictError:
                continue
            except UnreadableRecordError:
                if replaces is not None:
                    raise
                # Nothing in it can be used; the request brings all that a record needs.
                self.records.discard(function)
        raise ConflictError(f"the record {function} changes too fast; try again")

    def _create(self, wanted: LambdaFunction, replaces: str | None) -> LambdaFunction:
        """Write a first record, unless a newer deletion is remembered."""
        buried = read_tombstone(self.storage, self.storage_url, wanted.id)
        if buried is None or not wanted.stamp.is_older_than(buried):
            if replaces is not None:
                raise InvalidEventError(f"{wanted.id} does not exist; deploy it", field="replaces")
            record = self.records.create(wanted)
            # Again: a deletion in between found no record to remove.
            buried = read_tombstone(self.storage, self.storage_url, wanted.id)
            if buried is None or not wanted.stamp.is_older_than(buried):
                return record
            self.records.delete(record)
        return wanted.model_copy(update={"stamp": buried})

    def _finished_digest(
        self, function: FunctionId, spec: LambdaFunctionSpec, build_id: str
    ) -> str | None:
        if spec.source.image is not None:
            return spec.source.image.rpartition("@")[2]
        return self.registry.find(self._repository_url(function), build.image_tag(build_id))

    def _start_job(
        self,
        record: LambdaFunction,
        build_id: str,
        base_image: str,
        context: BinaryIO,
        sha256: str,
    ) -> BuildJob:
        context_uri = self.storage_url + build.context_key(record.id, build_id)
        order = BuildOrder(
            function=record.id,
            build_id=build_id,
            request_id=record.stamp.key,
            runtime=record.spec.runtime,
            base_image_url=base_image,
            repository_url=self._repository_url(record.id),
            context_url=self.storage.download_url(context_uri, expires_in=self.download_expires_in),
            context_sha256=sha256,
        )
        job = self.jobs.get(order.name)
        if (
            job is not None
            and job.state is not JobState.RUNNING
            and job.request_id != order.request_id
        ):
            # Its image is not there (it failed, or was collected since), and this is a new request.
            self.jobs.delete(order.name)
            job = None
        if job is None:
            self.storage.write(context_uri, context)
            job = self.jobs.start(order)
        if job.state is not JobState.RUNNING and job.request_id != order.request_id:
            raise NotReadyError(f"the Job {order.name} of an earlier request is being removed")
        return job

    def _started(self, record: LambdaFunction, job: BuildJob) -> Reply:
        written = self._set_build(
            record,
            Phase.BUILDING,
            BuildStatus(
                id=job.build_id,
                request_id=record.stamp.event_id,
                request_time=record.stamp.time,
                job=job.name,
                started_at=job.created_at,
            ),
            build_ready="Unknown",
        )
        if written is None:
            return self._overtaken(record, job)
        data = BuildStarted(build_id=job.build_id, job=job.name)
        return events.Reply(type=events.BUILD_STARTED, function=record.id, data=data)

    def _complete(self, record: LambdaFunction, build_id: str, digest: str) -> Reply:
        done = BuildStatus(
            id=build_id,
            request_id=record.stamp.event_id,
            request_time=record.stamp.time,
            digest=digest,
            finished_at=self.clock.now(),
        )
        if self._set_build(record, Phase.DEPLOYING, done, build_ready="True") is None:
            return self._overtaken(record, None)
        data = BuildComplete(build_id=build_id, digest=digest)
        return events.Reply(type=events.BUILD_COMPLETE, function=record.id, data=data)

    def _set_build(
        self,
        record: LambdaFunction,
        phase: Phase,
        wanted: BuildStatus,
        *,
        build_ready: Literal["True", "Unknown"],
    ) -> LambdaFunction | None:
        """Say in the status how far this request is, unless that was said or the request is old."""
        now = self.clock.now()

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if current.stamp != record.stamp or current.deleting:
                return None
            status = current.status
            if current.requested_build is not None:
                return status  # a redelivery: the build may be further by now
            if wanted.digest in status.collecting:
                raise NotReadyError("the image is being removed; it will be built again")
            conditions = status.conditions
            for condition in (
                Condition(type="SourceReady", status="True", last_transition_time=now),
                Condition(type="BuildReady", status=build_ready, last_transition_time=now),
                Condition(type="ServiceReady", status="Unknown", last_transition_time=now),
                Condition(
                    type="Ready", status="Unknown", reason=phase.value, last_transition_time=now
                ),
            ):
                conditions = with_condition(conditions, condition, now=now)
            return status.model_copy(
                update={
                    "phase": phase,
                    "observed_generation": current.generation,
                    "build": wanted,
                    "conditions": conditions,
                }
            )

        return update_status(self.records, record, change)

    def _overtaken(self, record: LambdaFunction, job: BuildJob | None) -> Reply:
        """Reply to a request that a newer one, or a deletion, overtook while we worked on it."""
        current = self.records.get(record.id)
        if current is not None and current.uid == record.uid:
            return superseded(record.id, current.stamp)
        if job is not None and current is None:
            self.jobs.delete(job.name)
        return superseded(record.id, current.stamp if current else record.stamp)

    def _repository_url(self, function: FunctionId) -> str:
        return f"{self.registry_url}/{function.namespace}/{function.name}"
