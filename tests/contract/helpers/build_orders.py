"""An order of a build in the namespace of a platform."""

from __future__ import annotations

from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.storage import Upload

DIGEST = "sha256:" + "d" * 64
HIDDEN = "hunter2"
"""Part of all that must not be seen."""


def order(platform, name="hello", build_id="b" * 64, request_id="2026/event-1"):
    return BuildOrder(
        function=FunctionId(platform.namespace, name),
        build_id=build_id,
        request_id=request_id,
        runtime="python3.11",
        context_url=f"http://storage/context?X-Amz-Signature={HIDDEN}",
        context_sha256="c" * 64,
        upload=Upload(url="http://storage/", fields={"key": "packages", "policy": HIDDEN}),
    )
