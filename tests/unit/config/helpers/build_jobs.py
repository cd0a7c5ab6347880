"""A build Job whose every field is known."""

from __future__ import annotations

from datetime import timedelta

from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.storage import Upload
from knative_lambda.manifests.build_job import BuildJobOptions, build_job

HELLO = FunctionId("tenant", "hello")


BUILD = "0123456789abcdef" * 4


def order():
    return BuildOrder(
        function=HELLO,
        build_id=BUILD,
        request_id="1",
        runtime="python3.11",
        context_url="https://s/c",
        context_sha256="0",
        upload=Upload(url="https://s/p"),
    )


def build_job_of():
    options = BuildJobOptions(
        namespace="builds",
        build_job_image="image",
        runtimes_dir="/runtimes",
        timeout=timedelta(minutes=10),
        context_max_bytes=1,
        unpacked_max_bytes=1,
        max_files=1,
        packages_max_bytes=1,
    )
    return build_job(order(), options)
