"""The conditions of a lambda, and the two that kstatus derives from whether it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.lambda_function import Condition, Phase

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal

    from knative_lambda.domain.errors import KnativeLambdaError
    from knative_lambda.domain.lambda_function import LambdaFunctionStatus

DELETING = "Deleting"
"""Reason of the condition Ready while a lambda is being removed."""


def with_condition(
    conditions: list[Condition], condition: Condition, *, now: datetime
) -> list[Condition]:
    """Replace the condition of the same type; its time changes only when its status does.

    `Ready` brings `Reconciling` or `Stalled` along, which are there only while they are true.
    """
    before = {each.type: each for each in conditions}
    after = dict(before)
    changed = [condition]
    if condition.type == "Ready":
        after.pop("Reconciling", None)
        after.pop("Stalled", None)
        changed += _derived(condition)
    for each in changed:
        old = before.get(each.type)
        is_same = old is not None and old.status == each.status
        time = old.last_transition_time if old is not None and is_same else now
        after[each.type] = each.model_copy(update={"last_transition_time": time})
    return sorted(after.values(), key=lambda each: each.type)


def rejected_status(
    status: LambdaFunctionStatus,
    generation: int,
    request: str | None,
    error: KnativeLambdaError,
    now: datetime,
) -> LambdaFunctionStatus:
    """A request can never work; what served before serves."""
    return status.model_copy(
        update={
            "phase": Phase.FAILED,
            "observed_generation": generation,
            "observed_request": request,
            "conditions": _of_source(status, "False", error, now),
        }
    )


def delayed_status(
    status: LambdaFunctionStatus, error: KnativeLambdaError, now: datetime
) -> LambdaFunctionStatus:
    """A request is not taken up yet, and is tried again; what served before serves."""
    conditions = _of_source(status, "Unknown", error, now)
    return status.model_copy(update={"phase": Phase.PENDING, "conditions": conditions})


def is_delayed(status: LambdaFunctionStatus, error: KnativeLambdaError) -> bool:
    """Whether it says already that a request waits because of such an error."""
    said = {(each.type, each.status, each.reason) for each in status.conditions}
    return status.phase is Phase.PENDING and ("Ready", "Unknown", error.reason) in said


def _of_source(
    status: LambdaFunctionStatus,
    value: Literal["False", "Unknown"],
    error: KnativeLambdaError,
    now: datetime,
) -> list[Condition]:
    conditions = status.conditions
    for name in ("SourceReady", "Ready"):
        condition = Condition(
            type=name,
            status=value,
            reason=error.reason,
            message=error.message,
            last_transition_time=now,
        )
        conditions = with_condition(conditions, condition, now=now)
    return conditions


def _derived(ready: Condition) -> list[Condition]:
    if ready.status == "True":
        return []
    is_final = ready.status == "False" and ready.reason != DELETING
    update = {"type": "Stalled" if is_final else "Reconciling", "status": "True"}
    return [ready.model_copy(update=update)]
