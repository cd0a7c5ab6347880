"""delete: remove a lambda and all it owns.

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
from knative_lambda.settings import DeleteSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.use_cases.delete_lambda import DeleteLambda

settings = DeleteSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def delete_lambda() -> DeleteLambda:
    """Wire the use case; connections are made by the first event that needs them."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
    from knative_lambda.adapters.registry import SchemeImageRegistry
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.delete_lambda import DeleteLambda

    api = KubernetesApi()
    return DeleteLambda(
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=settings.builds_namespace),
        services=KubernetesLambdaServices(api=api),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        storage=open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots()),
        clock=SystemClock(),
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
    )


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.events import DELETE, RECORD_REMOVED, Delete, ObjectReference
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.cloud_events import read_data, read_function

    def on_delete(event: Event) -> Reply:
        read_data(event, Delete)
        return delete_lambda()(event, read_function(event))

    def on_removed(event: Event) -> Reply | None:
        removed = read_data(event, ObjectReference)
        return delete_lambda().removed(event, FunctionId(removed.namespace, removed.name))

    return {DELETE: on_delete, RECORD_REMOVED: on_removed}


endpoint = Endpoint(source="/knative-lambda/delete", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
