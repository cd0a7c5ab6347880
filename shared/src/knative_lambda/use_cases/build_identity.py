"""Which build a request asks for, and which packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain import build
from knative_lambda.domain.lambda_function import BuildStatus

if TYPE_CHECKING:
    from knative_lambda.domain.lambda_function import LambdaFunction
    from knative_lambda.domain.packages import PackagesPolicy
    from knative_lambda.ports import Clock
    from knative_lambda.use_cases.packages_request import PackagesRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildIdentity:
    """Equal requests have equal builds; `refresh` and age make another one of an equal request.

    Without `ages`, packages that are there stay however old they are.
    """

    clock: Clock
    policy: PackagesPolicy
    builder_version: str
    source_commit: str | None = None

    def __call__(
        self,
        record: LambdaFunction,
        source_sha256: str,
        base_image: str,
        request: PackagesRequest | None,
        *,
        refresh: bool,
        ages: bool,
    ) -> BuildStatus:
        """Return what identifies the build of this request."""
        key, epoch = "", ""
        if request is not None:
            key, epoch = self._packages_key(record, request.sha256, refresh=refresh, ages=ages)
        id_ = build.build_id(
            source_sha256=source_sha256,
            runtime=record.spec.runtime,
            base_image_digest=base_image.rpartition("@")[2],
            builder_version=self.builder_version,
            packages_key=key,
        )
        return requested(record, id_).model_copy(
            update={
                "source_sha256": source_sha256,
                "source_commit": self.source_commit,
                "base_image": base_image,
                "packages_requested": None if request is None else request.sha256,
                "packages_key": key or None,
                "packages_epoch": epoch,
            }
        )

    def _packages_key(
        self, record: LambdaFunction, requested: str, *, refresh: bool, ages: bool
    ) -> tuple[str, str]:
        """Return the key of the packages, and since which request they are these.

        The same packages as before, unless they are to be resolved anew or have become too old.
        """

        def key(epoch: str) -> str:
            return build.packages_key(
                requested_sha256=requested,
                runtime=record.spec.runtime,
                platform=self.policy.platform,
                index=self.policy.indexes.of(record.spec.runtime).url or "",
                policy=self.policy.policy,
                builder_version=self.builder_version,
                epoch=epoch,
            )

        before = record.status.packages
        epoch = before.epoch if before is not None and before.requested == requested else ""
        if refresh:
            epoch = record.stamp.key
        elif ages and before is not None and before.key == key(epoch) and not before.pinned:
            age = self.clock.now() - before.resolved_at
            epoch = record.stamp.key if age > self.policy.max_age else epoch
        return key(epoch), epoch


def requested(record: LambdaFunction, id_: str) -> BuildStatus:
    """Return the build of a request, as far as its id tells."""
    return BuildStatus(id=id_, request_id=record.stamp.event_id, request_time=record.stamp.time)
