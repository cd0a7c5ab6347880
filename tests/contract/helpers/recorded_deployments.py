"""Deployments whose record is there."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionSpec, RequestStamp
from knative_lambda.domain.names import FunctionId


def spec(*subscriptions, **fields):
    source = {"inline": {"main.py": "x"}}
    requested = {"source": source, "runtime": "python3.11", "subscriptions": list(subscriptions)}
    return LambdaFunctionSpec.model_validate(requested | fields)


def deploy(platform, name="hello", *subscriptions):
    """A deployment whose record is there: what no record owns is collected."""
    function = FunctionId(platform.namespace, name)
    stamp = RequestStamp(time=datetime.now(UTC), event_id="event-1")
    record = platform.records.create(LambdaFunction(id=function, spec=spec(), stamp=stamp))
    return Deployment(
        function=function,
        uid=record.uid,
        generation=2,
        spec=spec(*subscriptions),
        image=f"registry/lambdas/{function}@sha256:{uuid.uuid4().hex * 2}",
    )
