"""The record of a lambda in the namespace of a platform."""

from __future__ import annotations

from datetime import UTC, datetime

from knative_lambda.domain.lambda_function import (
    LambdaFunction,
    LambdaFunctionSpec,
    RequestStamp,
)
from knative_lambda.domain.names import FunctionId

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)


def spec(**fields):
    source = {"inline": {"main.py": "def handler(event): ..."}}
    return LambdaFunctionSpec.model_validate({"source": source, "runtime": "python3.11"} | fields)


def record(platform, name="hello", event_id="event-1", **fields):
    return LambdaFunction(
        id=FunctionId(platform.namespace, name),
        spec=spec(**fields),
        stamp=RequestStamp(time=NOON, event_id=event_id),
    )
