"""Changes of a record that several use cases make, safe against others who change it too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knative_lambda.domain.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionStatus
    from knative_lambda.ports import LambdaFunctions

_ATTEMPTS = 5


def update_status(
    records: LambdaFunctions,
    record: LambdaFunction,
    change: Callable[[LambdaFunction], LambdaFunctionStatus | None],
) -> LambdaFunction | None:
    """Apply `change` to the newest state of a record until nobody writes in between.

    Returns the record as written; None when it is gone, is another record of the same name by
    now, or `change` returns None because the newest state leaves nothing to say.
    """
    current: LambdaFunction | None = record
    for _ in range(_ATTEMPTS):
        if current is None or current.uid != record.uid:
            return None
        status = change(current)
        if status is None:
            return None
        if status == current.status:
            return current
        try:
            return records.replace_status(current.model_copy(update={"status": status}))
        except ConflictError:
            current = records.get(record.id)
    raise ConflictError(f"the record {record.id} changes too fast; try again")
