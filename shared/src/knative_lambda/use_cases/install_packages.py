"""build-start: a Job installs what a source asks for, at once or when it is its turn."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from knative_lambda.domain import build
from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.build_queue import QueuedBuild
from knative_lambda.domain.errors import NotReadyError

if TYPE_CHECKING:
    from datetime import timedelta

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.lambda_function import BuildStatus, LambdaFunction
    from knative_lambda.ports import BuildJobs, Clock, ObjectStorage
    from knative_lambda.use_cases.admit_builds import AdmitBuilds
    from knative_lambda.use_cases.packages_request import PackagesRequest

_SPOOL_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallPackages:
    """Equal requests share a Job; one of which nothing is left makes room for another."""

    jobs: BuildJobs
    storage: ObjectStorage
    admission: AdmitBuilds
    clock: Clock
    storage_url: str
    job_urls_expire_in: timedelta
    packages_max_bytes: int

    def __call__(
        self,
        record: LambdaFunction,
        said: BuildStatus,
        source: BinaryIO,
        request: PackagesRequest,
        job: BuildJob | None,
    ) -> BuildJob:
        """Return the Job of this request; `job` is the one of that name that is there."""
        if job is not None and job.request_id != record.stamp.key and job.has_ended:
            # Nothing of it is left (it failed, or was collected since), and this is a new request.
            self.jobs.delete(job.name)
            job = None
        if job is None or not job.has_ended:
            # One that runs, too: whoever made it may have died before it had all that it needs.
            waits = job is None and not self.admission.has_room(self._queued(record, said))
            order = self._order(record, said, source, request, is_new=job is None)
            job = self.jobs.start(order, waits=waits)
        if job.has_ended and job.request_id != record.stamp.key:
            raise NotReadyError(f"the Job {job.name} of an earlier request is being removed")
        return job

    def _queued(self, record: LambdaFunction, said: BuildStatus) -> QueuedBuild:
        return QueuedBuild(
            name=build.job_name(record.id, said.id),
            uid="",
            version="",
            function=record.id,
            build_id=said.id,
            request_id=record.stamp.key,
            created_at=self.clock.now(),
            waits=True,
        )

    def _order(
        self,
        record: LambdaFunction,
        said: BuildStatus,
        source: BinaryIO,
        request: PackagesRequest,
        *,
        is_new: bool,
    ) -> BuildOrder:
        context_uri = self.storage_url + build.context_key(record.id, said.id)
        result_uri = self.storage_url + build.packages_object_key(record.id, said.id)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            context = cast("BinaryIO", spool)
            sha256 = request.write(source, context)
            if is_new:
                self.storage.write(context_uri, context)
        return BuildOrder(
            function=record.id,
            build_id=said.id,
            request_id=record.stamp.key,
            runtime=record.spec.runtime,
            context_url=self.storage.download_url(context_uri, expires_in=self.job_urls_expire_in),
            context_sha256=sha256,
            upload=self.storage.upload_url(
                result_uri,
                expires_in=self.job_urls_expire_in,
                max_bytes=self.packages_max_bytes,
            ),
        )
