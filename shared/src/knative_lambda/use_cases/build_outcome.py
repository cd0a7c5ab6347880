"""What the record says about the outcome of a build; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.conditions import with_condition
from knative_lambda.domain.lambda_function import Condition, PackagesStatus, Phase

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.build import BuildFailure
    from knative_lambda.domain.deployment import Deployment, ServiceState
    from knative_lambda.domain.lambda_function import (
        BuildStatus,
        ConditionType,
        LambdaFunction,
        LambdaFunctionStatus,
    )


def ready_status(
    record: LambdaFunction,
    build: BuildStatus,
    deployment: Deployment,
    state: ServiceState,
    now: datetime,
) -> LambdaFunctionStatus:
    """The lambda serves with this build."""
    conditions = record.status.conditions
    for name in ("BuildReady", "ServiceReady", "SubscriptionsReady", "Ready"):
        condition = Condition(type=name, status="True", last_transition_time=now)
        conditions = with_condition(conditions, condition, now=now)
    return record.status.model_copy(
        update={
            "phase": Phase.READY,
            "observed_generation": record.generation,
            "conditions": conditions,
            "build": build,
            "packages": _packages(record, build, now),
            "image": deployment.image,
            "url": state.url,
            "revision": state.revision,
        }
    )


def failed_status(
    record: LambdaFunction,
    build: BuildStatus,
    failure: BuildFailure,
    now: datetime,
    *,
    serves: bool = False,
) -> LambdaFunctionStatus:
    """The build failed or, where it has a digest, its revision; or all went well but its Triggers.

    What served before serves, unless the new revision does.
    """
    conditions = record.status.conditions
    failed: ConditionType = "BuildReady"
    if build.digest is not None:
        went_well: tuple[ConditionType, ...] = ("BuildReady", "ServiceReady")
        went_well = went_well if serves else went_well[:1]
        for name in went_well:
            good = Condition(type=name, status="True", last_transition_time=now)
            conditions = with_condition(conditions, good, now=now)
        failed = "SubscriptionsReady" if serves else "ServiceReady"
    for name in (failed, "Ready"):
        bad = Condition(
            type=name,
            status="False",
            reason=failure.reason,
            message=failure.message,
            last_transition_time=now,
        )
        conditions = with_condition(conditions, bad, now=now)
    return record.status.model_copy(
        update={
            "phase": Phase.FAILED,
            "observed_generation": record.generation,
            "conditions": conditions,
            "build": build,
            "packages": _packages(record, build, now),
        }
    )


def _packages(record: LambdaFunction, build: BuildStatus, now: datetime) -> PackagesStatus | None:
    """The packages of the newest image that was made; they keep the time of their installation."""
    before = record.status.packages
    if build.digest is None or record.spec.source.image is not None:
        return before
    if build.packages_key is None or build.packages_requested is None:
        return None
    if before is not None and before.key == build.packages_key:
        return before
    return PackagesStatus(
        requested=build.packages_requested,
        key=build.packages_key,
        epoch=build.packages_epoch,
        resolved_at=build.packages_resolved_at or now,
        pinned=build.packages_pinned,
    )
