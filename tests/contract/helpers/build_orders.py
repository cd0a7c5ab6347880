"""An order of a build in the namespace of a platform."""

from __future__ import annotations

from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.names import FunctionId

DIGEST = "sha256:" + "d" * 64


def order(platform, name="hello", build_id="b" * 64, request_id="2026/event-1"):
    return BuildOrder(
        function=FunctionId(platform.namespace, name),
        build_id=build_id,
        request_id=request_id,
        runtime="python3.11",
        base_image_url=f"http://registry/base@{DIGEST}",
        repository_url="http://registry/lambdas/default/hello",
        context_url="http://storage/context",
        context_sha256="c" * 64,
    )
