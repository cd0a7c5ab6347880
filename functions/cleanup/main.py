"""cleanup: on each tick of a clock, remove what nobody needs.

What an event needs is imported when the first one arrives: until then a function costs little more
than the framework under it.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import functions_framework

from knative_lambda.inbound.endpoint import Endpoint
from knative_lambda.inbound.json_logging import configure_logging
from knative_lambda.inbound.worker_memory import share_with_workers
from knative_lambda.settings import CleanupSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.use_cases.clean_up import CleanUp

settings = CleanupSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def clean_up() -> CleanUp:
    """Wire the use case; connections are made by the first event that needs them."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
    from knative_lambda.adapters.registry import SchemeImageRegistry
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.clean_up import CleanUp
    from knative_lambda.use_cases.clean_up_pass import Retention

    api = KubernetesApi()
    return CleanUp(
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=settings.builds_namespace),
        services=KubernetesLambdaServices(api=api),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        storage=open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots()),
        clock=SystemClock(),
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
        retention=Retention(
            jobs=settings.job_retention,
            builds=settings.build_retention,
            tombstones=settings.tombstone_retention,
            dead_letters=settings.dead_letter_retention,
            untold_after=settings.untold_after,
            stuck_after=settings.stuck_after,
        ),
        base_images=settings.base_images,
        pass_timeout=settings.pass_timeout,
    )


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.events import CLEANUP, PING, Cleanup
    from knative_lambda.inbound.cloud_events import read_data

    def on_tick(event: Event) -> Reply:
        """Both a tick and a person's own event may ask for a dry run."""
        return clean_up()(dry_run=read_data(event, Cleanup).dry_run)

    return {PING: on_tick, CLEANUP: on_tick}


endpoint = Endpoint(source="/knative-lambda/cleanup", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
