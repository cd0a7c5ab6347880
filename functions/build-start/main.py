"""build-start: a request arrives, a build Job runs (or a finished image is found).

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
from knative_lambda.settings import BuildStartSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.manifests.build_job import BuildJobOptions
    from knative_lambda.ports import EventRecorder, ObjectStorage
    from knative_lambda.use_cases.build_context import ContextPacker
    from knative_lambda.use_cases.start_build import StartBuild

settings = BuildStartSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def start_build() -> StartBuild:
    """Wire the use case; connections are made by the first event that needs them."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.adapters.registry import SchemeImageRegistry
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.start_build import StartBuild

    storage = open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots())
    api = kubernetes_api()
    options = job_options()
    return StartBuild(
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=options.namespace, options=options),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        storage=storage,
        packer=packer(storage),
        clock=SystemClock(),
        base_images=settings.base_images,
        builder_version=settings.builder_version,
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
        image_prefix=settings.image_prefix,
        download_expires_in=settings.build_timeout,
    )


@cache
def kubernetes_api() -> KubernetesApi:
    """Return the one client of Kubernetes."""
    from knative_lambda.adapters.kubernetes.client import KubernetesApi

    return KubernetesApi()


def event_recorder() -> EventRecorder:
    """Record where the people of a namespace read why a request of theirs is rejected."""
    from knative_lambda.adapters.kubernetes.event_recorder import KubernetesEventRecorder

    return KubernetesEventRecorder(api=kubernetes_api())


def job_options() -> BuildJobOptions:
    """Return what every build Job of this installation has in common."""
    from knative_lambda.manifests.build_job import BuildJobOptions

    return BuildJobOptions(
        namespace=settings.builds_namespace,
        builder_image=settings.builder_image,
        runtimes_dir=settings.runtimes_dir,
        timeout=settings.build_timeout,
        context_max_bytes=settings.source_max_bytes,
        unpacked_max_bytes=settings.unpacked_max_bytes,
        max_files=settings.source_max_files,
        package_index_url=settings.package_index_url,
        allow_source_packages=settings.allow_source_packages,
        registry_secret=settings.registry_secret,
    )


def packer(storage: ObjectStorage) -> ContextPacker:
    """Return the reader of sources, from where tenants may keep them."""
    from knative_lambda.use_cases.build_context import ContextPacker

    return ContextPacker(
        storage=storage,
        source_prefixes=tuple(settings.source_prefixes),
        source_suffixes=tuple(settings.source_suffixes),
        max_bytes=settings.source_max_bytes,
        max_files=settings.source_max_files,
    )


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.events import BUILD_START, BuildStart
    from knative_lambda.inbound.cloud_events import read_data, read_function
    from knative_lambda.use_cases.rejections import rejections_recorded

    def on_build_start(event: Event) -> Reply:
        function = read_function(event)
        with rejections_recorded(event_recorder(), function, event):
            return start_build()(event, function, read_data(event, BuildStart))

    return {BUILD_START: on_build_start}


endpoint = Endpoint(source="/knative-lambda/build-start", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
