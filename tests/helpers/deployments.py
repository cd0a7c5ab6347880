"""Deployments whose fields a test names."""

from __future__ import annotations

from typing import Any

from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.lambda_function import LambdaFunctionSpec
from knative_lambda.domain.names import FunctionId

HELLO = FunctionId("default", "hello")
IMAGE = "registry/lambdas/default/hello@sha256:" + "d" * 64


def deployment(*, generation: int = 3, image: str = IMAGE, uid: str = "uid-1", **spec: Any):
    """A deployment of default/hello."""
    fields = {"source": {"inline": {"main.py": "x"}}, "runtime": "python3.11"} | spec
    return Deployment(
        function=HELLO,
        uid=uid,
        generation=generation,
        spec=LambdaFunctionSpec.model_validate(fields),
        image=image,
    )
