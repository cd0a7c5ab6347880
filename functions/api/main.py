"""api: people's own view of their lambdas, and a way for their sources into storage.

It acts with the token of whoever calls, and has no right of its own to anything in Kubernetes. What
a request needs is imported when the first one arrives: until then a function costs little more than
the framework under it.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import functions_framework.aio
from starlette.responses import PlainTextResponse

from knative_lambda.inbound.json_logging import configure_logging
from knative_lambda.inbound.worker_memory import share_with_workers
from knative_lambda.settings import ApiSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from knative_lambda.inbound.api.operations import Services

settings = ApiSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def services() -> Services:
    """Wire the use cases; connections are made by the first request that needs them."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.callers import KubernetesCallers
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.inbound.api.operations import Services
    from knative_lambda.use_cases.read_logs import ReadBuilds
    from knative_lambda.use_cases.take_upload import TakeUpload

    storage = open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots())
    return Services(
        callers=KubernetesCallers(),
        builds=ReadBuilds(storage=storage, storage_url=settings.storage_url),
        uploads=TakeUpload(
            storage=storage,
            clock=SystemClock(),
            upload_url=settings.upload_url,
            max_bytes=settings.source_max_bytes,
        ),
    )


@cache
def application() -> ASGIApp:
    """Load the API."""
    from knative_lambda.inbound.api.application import Application

    return Application(services)


@functions_framework.aio.http
async def handle(request: Request) -> ASGIApp:
    """Pass a request on to what responds to it, which functions-framework calls."""
    if request.url.path in {"/health/liveness", "/health/readiness"}:
        return PlainTextResponse("ok")
    return application()
