"""publish: all that an image is made of is there, and the image is made.

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
from knative_lambda.settings import PublishSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.use_cases.publish_image import PublishImage

settings = PublishSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def publish_image() -> PublishImage:
    """Wire the use case; connections are made by the first event that needs them."""
    from knative_lambda.adapters.image_publisher import OciImagePublisher
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.adapters.registry import SchemeImageRegistry
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.publish_image import PublishImage

    return PublishImage(
        records=KubernetesLambdaFunctions(api=KubernetesApi()),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        images=OciImagePublisher(
            docker_config=settings.docker_config,
            source_max_bytes=settings.unpacked_max_bytes,
            source_max_files=settings.source_max_files,
            packages_max_bytes=settings.packages_max_bytes,
        ),
        storage=open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots()),
        languages=settings.languages,
        base_images=settings.base_images,
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
        # Those who pack many small files need a little more than these have.
        source_max_bytes=2 * settings.source_max_bytes,
        packages_max_bytes=settings.packages_max_bytes,
    )


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.events import (
        BUILD_PACKAGED,
        BUILD_START,
        RECORD_APPLIED,
        BuildPackaged,
    )
    from knative_lambda.inbound.cloud_events import read_data, read_function

    def on_build_packaged(event: Event) -> Reply | None:
        return publish_image()(read_function(event), read_data(event, BuildPackaged))

    def on_request(_: Event) -> None:
        """Be awake when this build is packaged: everything that it will need is loaded."""
        publish_image()

    requests = dict.fromkeys((BUILD_START, *RECORD_APPLIED), on_request)
    return {BUILD_PACKAGED: on_build_packaged} | requests


endpoint = Endpoint(source="/knative-lambda/publish", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
