"""The log of a function's newest build."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.build_log import BuildLog
from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.installation import Installation
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_MAX_BYTES = 1024 * 1024
_POLL_SECONDS = 0.2
_ENDED = frozenset({"Ready", "Failed", "Deploying"})


def read_build_log(installation: Installation, record: KubernetesObject) -> str:
    """Return what the Job's containers wrote, or once they are gone the lines that were kept."""
    build: dict[str, Any] = (record.get("status") or {}).get("build") or {}
    jobs = KubernetesBuildJobs(api=installation.api, namespace=installation.builds_namespace())
    job = build.get("job") or _job_of_build(jobs, record, build.get("id"))
    text = jobs.log_tail(job, max_bytes=_MAX_BYTES) if job else ""
    return text or str(build.get("log") or "")


def _job_of_build(
    jobs: KubernetesBuildJobs, record: KubernetesObject, build_id: str | None
) -> str | None:
    """Find the Job that made an image which a later wish found finished."""
    metadata = record["metadata"]
    for job in jobs.list(FunctionId(metadata["namespace"], metadata["name"])):
        if job.build_id == build_id:
            return job.name
    return None


def follow_build(
    installation: Installation, function: FunctionId, show: Callable[[str], None]
) -> None:
    """Show the lines of a build as they come, until it has ended."""
    log = BuildLog(installation.api, installation.builds_namespace(), show)
    while True:
        status: dict[str, Any] = installation.record(function).get("status") or {}
        has_ended = status.get("phase") in _ENDED
        job = (status.get("build") or {}).get("job")
        if job:
            log.poll(job, at_once=has_ended)
        if has_ended:
            return
        time.sleep(_POLL_SECONDS)
