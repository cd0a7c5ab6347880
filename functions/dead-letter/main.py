"""dead-letter: keep in storage what no Broker could deliver.

What a letter needs is imported when the first one arrives: until then a function costs little more
than the framework under it.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import functions_framework

from knative_lambda.inbound.dead_letters import DeadLetterEndpoint
from knative_lambda.inbound.json_logging import configure_logging
from knative_lambda.inbound.worker_memory import share_with_workers
from knative_lambda.settings import DeadLetterSettings

if TYPE_CHECKING:
    from flask import Request

    from knative_lambda.inbound.endpoint import Response
    from knative_lambda.use_cases.keep_dead_letter import KeepDeadLetter

settings = DeadLetterSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def keep_dead_letter() -> KeepDeadLetter:
    """Wire the use case; connections are made by the first letter."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.keep_dead_letter import KeepDeadLetter

    return KeepDeadLetter(
        storage=open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots()),
        clock=SystemClock(),
        storage_url=settings.storage_url,
    )


endpoint = DeadLetterEndpoint(keep=keep_dead_letter)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
