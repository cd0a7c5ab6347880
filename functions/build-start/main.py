"""build-start: a request arrives, and takes the shortest way to an image.

What an event needs is imported when the first one arrives: until then a function costs little more
than the framework under it.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import platform
import sys
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
    from knative_lambda.domain.packages import PackagesPolicy
    from knative_lambda.inbound.endpoint import Handler, Response
    from knative_lambda.manifests.build_job import BuildJobOptions
    from knative_lambda.ports import EventRecorder, HostedSources, ObjectStorage
    from knative_lambda.use_cases.admit_builds import AdmitBuilds
    from knative_lambda.use_cases.build_context import ContextPacker
    from knative_lambda.use_cases.rebuild import RebuildLambda
    from knative_lambda.use_cases.start_build import StartBuild

_PLACES_PER_TICK = 100

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
    from knative_lambda.adapters.source_archives import CheckedSourceArchives
    from knative_lambda.use_cases.prepare_source import PrepareSource
    from knative_lambda.use_cases.start_build import StartBuild

    storage = object_storage()
    api = kubernetes_api()
    options = job_options()
    return StartBuild(
        records=KubernetesLambdaFunctions(api=api),
        jobs=KubernetesBuildJobs(api=api, namespace=options.namespace, options=options),
        registry=SchemeImageRegistry(docker_config=settings.docker_config),
        storage=storage,
        prepare=PrepareSource(
            packer=packer(storage),
            archives=CheckedSourceArchives(
                max_bytes=settings.unpacked_max_bytes, max_files=settings.source_max_files
            ),
            languages=settings.languages,
            base_images=settings.base_images,
            registry_url=settings.registry_url,
            image_prefix=settings.image_prefix,
        ),
        admission=admit_builds(),
        clock=SystemClock(),
        packages=packages_policy(),
        builder_version=settings.builder_version,
        storage_url=settings.storage_url,
        registry_url=settings.registry_url,
        job_urls_expire_in=settings.build_timeout,
    )


@cache
def admit_builds() -> AdmitBuilds:
    """Wire the use case that both others and the ends of builds share."""
    from knative_lambda.adapters.clock import SystemClock
    from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
    from knative_lambda.adapters.kubernetes.build_queue import KubernetesBuildQueue
    from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
    from knative_lambda.domain.build_queue import BuildLimits
    from knative_lambda.use_cases.admit_builds import AdmitBuilds

    options = job_options()
    return AdmitBuilds(
        queue=KubernetesBuildQueue(api=kubernetes_api(), options=options),
        jobs=KubernetesBuildJobs(
            api=kubernetes_api(), namespace=options.namespace, options=options
        ),
        records=KubernetesLambdaFunctions(api=kubernetes_api()),
        storage=object_storage(),
        clock=SystemClock(),
        storage_url=settings.storage_url,
        limits=BuildLimits(in_all=settings.max_builds, per_tenant=settings.max_builds_per_tenant),
        urls_expire_in=settings.build_timeout,
        packages_max_bytes=settings.packages_max_bytes,
    )


@cache
def object_storage() -> ObjectStorage:
    """Return the one client of storage."""
    from knative_lambda.adapters.storage import S3Connection, open_storage

    return open_storage(s3=S3Connection(**settings.s3()), file_roots=settings.file_roots())


@cache
def rebuild_lambda() -> RebuildLambda:
    """Wire the second use case around the first."""
    from knative_lambda.use_cases.rebuild import RebuildLambda

    return RebuildLambda(records=start_build().records, start_build=start_build())


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
        build_job_image=settings.build_job_image,
        runtimes_dir=settings.runtimes_dir,
        timeout=settings.build_timeout,
        context_max_bytes=settings.source_max_bytes,
        unpacked_max_bytes=settings.unpacked_max_bytes,
        max_files=settings.source_max_files,
        packages_max_bytes=settings.packages_max_bytes,
        indexes=settings.indexes(),
        package_url_prefixes=tuple(settings.package_url_prefixes or ()),
        allow_git_packages=settings.allow_git_packages,
        allow_source_packages=settings.allow_source_packages,
        require_hashes=settings.require_hashes,
    )


def packages_policy() -> PackagesPolicy:
    """Return which packages that were kept may be taken again."""
    from knative_lambda.domain.packages import PackagesPolicy

    return PackagesPolicy(
        # Builds run on nodes of one architecture, this function's.
        platform=f"{sys.platform}-{platform.machine()}",
        indexes=settings.indexes(),
        policy=settings.packages_policy(),
        max_age=settings.packages_max_age,
        max_bytes=settings.packages_max_bytes,
    )


def packer(storage: ObjectStorage) -> ContextPacker:
    """Return the reader of sources, from where tenants may keep them."""
    from knative_lambda.use_cases.build_context import ContextPacker

    return ContextPacker(
        storage=storage,
        hosted=hosted_sources(),
        source_prefixes=tuple(settings.source_prefixes),
        source_suffixes=settings.languages.suffixes,
        max_bytes=settings.source_max_bytes,
        max_files=settings.source_max_files,
    )


def hosted_sources() -> HostedSources:
    """Return the reader of sources that are on hosts of their own."""
    from knative_lambda.adapters.hosted_sources import NetworkSources
    from knative_lambda.adapters.kubernetes.source_secrets import KubernetesSourceSecrets
    from knative_lambda.domain.source_hosts import SourceHosts

    return NetworkSources(
        SourceHosts(settings.source_hosts or ()),
        secrets=KubernetesSourceSecrets(api=kubernetes_api()),
        max_bytes=settings.source_max_bytes,
        max_files=settings.source_max_files,
        certificates=settings.source_certificates,
    )


def handlers() -> Mapping[str, Handler]:
    """Map event types to what handles them."""
    from knative_lambda.domain.build import job_name
    from knative_lambda.domain.errors import PermanentError
    from knative_lambda.domain.events import (
        BUILD_FAILED,
        BUILD_PACKAGED,
        BUILD_START,
        CLEANUP_DONE,
        FUNCTION_DELETED,
        REBUILD,
        RECORD_APPLIED,
        BuildFailed,
        BuildPackaged,
        BuildStart,
        ObjectReference,
        Rebuild,
    )
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.cloud_events import read_data, read_function
    from knative_lambda.use_cases.rejections import rejections_recorded

    def on_build_start(event: Event) -> Reply:
        function = read_function(event)
        with rejections_recorded(event_recorder(), function, event):
            return start_build()(event, function, read_data(event, BuildStart))

    def on_applied(event: Event) -> Reply | None:
        changed = read_data(event, ObjectReference)
        function = FunctionId(changed.namespace, changed.name)
        try:
            with rejections_recorded(event_recorder(), function, event):
                return start_build().applied(function)
        except PermanentError:
            return None  # its status says it, and the record is there to be mended

    def on_rebuild(event: Event) -> Reply:
        function = read_function(event)
        with rejections_recorded(event_recorder(), function, event):
            return rebuild_lambda()(event, function, read_data(event, Rebuild))

    def on_room(_: Event) -> Reply | None:
        return admit_builds()()

    def on_build_packaged(event: Event) -> Reply | None:
        packaged = read_data(event, BuildPackaged)
        return admit_builds().after(job_name(read_function(event), packaged.build_id))

    def on_cleanup_done(_: Event) -> Reply | None:
        return admit_builds()(places=_PLACES_PER_TICK)

    def on_build_failed(event: Event) -> Reply | None:
        failed = read_data(event, BuildFailed)
        return admit_builds().after_failure(job_name(read_function(event), failed.build_id))

    return dict.fromkeys(RECORD_APPLIED, on_applied) | {
        BUILD_START: on_build_start,
        REBUILD: on_rebuild,
        BUILD_PACKAGED: on_build_packaged,
        BUILD_FAILED: on_build_failed,
        FUNCTION_DELETED: on_room,
        CLEANUP_DONE: on_cleanup_done,
    }


endpoint = Endpoint(source="/knative-lambda/build-start", handlers=handlers)


@functions_framework.http
def handle(request: Request) -> Response:
    """Respond to one request."""
    return endpoint(request)
