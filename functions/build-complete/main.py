"""build-complete: a build ended, and its lambda runs; or it failed or cannot start.

A lambda that failed to start and serves after all is reported too.

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
from knative_lambda.settings import BuildCompleteSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.use_cases.cancel_build import CancelBuild
    from knative_lambda.use_cases.complete_build import CompleteBuild
    from knative_lambda.use_cases.notice_recovery import NoticeRecovery
    from knative_lambda.use_cases.watch_build import WatchBuild

settings = BuildCompleteSettings()
configure_logging(settings.log_level)
share_with_workers()


@cache
def complete_build() -> CompleteBuild:
    """Wire the use case; connections are made by the first event that needs them."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
    from knative_lambda.adapters.kubernetes.client import KubernetesApi
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
    from knative_lambda.adapters.registry import SchemeImageRegistry
    from knative_lambda.adapters.storage import S3Connection, open_storage
    from knative_lambda.use_cases.complete_build import CompleteBuild

    api = KubernetesApi()
    return CompleteBuild(
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=settings.builds_namespace),
        services=KubernetesLambdaServices(
            api=api,
            tenant_broker=settings.tenant_broker,
            source_suffixes=settings.languages.suffixes,
        ),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        storage=open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots()),
        clock=SystemClock(),
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
        image_prefix=settings.image_prefix,
        ready_timeout=settings.ready_timeout,
        packages_max_bytes=settings.packages_max_bytes,
        watches_size=not settings.s3_post_policy,
        follow_timeout=settings.follow_timeout,
        start_timeout=settings.start_timeout,
    )


@cache
def watch_build() -> WatchBuild:
    """Wire the second use case, which shares the connections of the first."""
    from knative_lambda.use_cases.watch_build import WatchBuild

    shared = complete_build()
    return WatchBuild(
        records=shared.records,
        jobs=shared.jobs,
        storage=shared.storage,
        clock=shared.clock,
        storage_url=settings.storage_url,
        start_timeout=settings.start_timeout,
    )


@cache
def notice_recovery() -> NoticeRecovery:
    """Wire the third use case in the same way."""
    from knative_lambda.use_cases.notice_recovery import NoticeRecovery

    shared = complete_build()
    return NoticeRecovery(
        records=shared.records,
        services=shared.services,
        storage=shared.storage,
        clock=shared.clock,
        storage_url=settings.storage_url,
        image_prefix=settings.image_prefix,
    )


@cache
def cancel_build() -> CancelBuild:
    """Wire the fourth use case in the same way."""
    from knative_lambda.use_cases.cancel_build import CancelBuild

    shared = complete_build()
    return CancelBuild(jobs=shared.jobs, outcome=shared.record_outcome)


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.events import (
        BUILD_CANCEL,
        BUILD_COMPLETE,
        BUILD_FAILED,
        BUILD_START,
        BUILD_STARTED,
        OBJECT_EVENTS,
        BuildCancel,
        BuildComplete,
        BuildFailed,
        BuildStarted,
        ObjectReference,
    )
    from knative_lambda.domain.lambda_function import KIND
    from knative_lambda.inbound.cloud_events import read_data, read_function

    def on_change(event: Event) -> Reply | None:
        changed = read_data(event, ObjectReference)
        if changed.kind == "Job":
            return complete_build().job_changed(event, changed)
        if changed.kind == KIND:
            return on_request(event)
        return notice_recovery()(event, changed)

    def on_build_complete(event: Event) -> Reply | None:
        data = read_data(event, BuildComplete)
        return complete_build().image_found(event, read_function(event), data)

    def on_build_started(event: Event) -> Reply | None:
        data = read_data(event, BuildStarted)
        failed = watch_build().build_started(event, read_function(event), data)
        return failed or complete_build().build_started(event, data)

    def on_build_failed(event: Event) -> None:
        watch_build().build_failed(read_function(event), read_data(event, BuildFailed))

    def on_request(_: Event) -> None:
        """Be awake before this build ends: everything that it will need is loaded."""
        complete_build()

    def on_build_cancel(event: Event) -> Reply | None:
        return cancel_build()(event, read_function(event), read_data(event, BuildCancel))

    return dict.fromkeys(OBJECT_EVENTS, on_change) | {
        BUILD_CANCEL: on_build_cancel,
        BUILD_START: on_request,
        BUILD_COMPLETE: on_build_complete,
        BUILD_STARTED: on_build_started,
        BUILD_FAILED: on_build_failed,
    }


endpoint = Endpoint(source="/knative-lambda/build-complete", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
