"""Logs of builds: of a Job that runs, and of the newest build of a function."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kn_lambda.cluster.log_lines import LogOptions, log_lines
from kn_lambda.cluster.records import build_of, status_of
from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
from knative_lambda.adapters.kubernetes.client import PODS
from knative_lambda.domain.errors import KnativeLambdaError
from knative_lambda.domain.names import FunctionId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kn_lambda.cluster.api import ClusterApi
    from kn_lambda.cluster.installation import Installation
    from kn_lambda.cluster.log_lines import LogLine
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_READ_SECONDS = 0.4
_MAX_BYTES = 1024 * 1024
_POLL_SECONDS = 0.2
_ENDED = frozenset({"Ready", "Failed", "Deploying"})


class BuildLog:
    """Shows the new lines of a Job's Pods; none without permission to read them."""

    def __init__(
        self,
        api: ClusterApi,
        namespace: str,
        show: Callable[[str], None],
        *,
        timestamps: bool = False,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._show = show
        self._options = LogOptions(timestamps=timestamps)
        self._shown: dict[tuple[str, str], int] = {}
        self._next = 0.0
        self.last_line = ""

    def poll(self, job: str, *, at_once: bool = False) -> None:
        """Show the lines since the last call; reads the log at most every 0.4 s."""
        now = time.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + _READ_SECONDS
        try:
            for pod in self._api.list(PODS, self._namespace, labels={"job-name": job}):
                for container in _containers(pod):
                    self._read(pod["metadata"]["name"], container)
        except KnativeLambdaError:
            return  # the log is optional: the record has the outcome

    def _read(self, pod: str, container: str) -> None:
        path = PODS.path(self._namespace, pod, "log")
        try:
            text = self._api.text(path, self._options.query(container))
        except KnativeLambdaError:
            return  # this container has not started
        begin = self._shown.get((pod, container), 0)
        end = text.rfind("\n") + 1
        for line in log_lines(text[begin:end]):
            self._show(line)
            self.last_line = line.strip() or self.last_line
        self._shown[pod, container] = max(begin, end)


def _containers(pod: KubernetesObject) -> Iterator[str]:
    for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        yield container["name"]


def read_build_log(
    installation: Installation, record: KubernetesObject, *, timestamps: bool = False
) -> str:
    """Return the log of the Job, or the lines that the record keeps once the Job is gone.

    The record keeps no times.
    """
    build = build_of(record)
    jobs = KubernetesBuildJobs(api=installation.api, namespace=installation.builds_namespace())
    job = build.get("job") or _job_of_build(jobs, record, build.get("id"))
    text = jobs.log_tail(job, max_bytes=_MAX_BYTES, timestamps=timestamps) if job else ""
    return text or str(build.get("log") or "")


def _job_of_build(
    jobs: KubernetesBuildJobs, record: KubernetesObject, build_id: str | None
) -> str | None:
    """Find the Job that built the image, if a later request reused it."""
    metadata = record["metadata"]
    for job in jobs.list(FunctionId(metadata["namespace"], metadata["name"])):
        if job.build_id == build_id:
            return job.name
    return None


def follow_build(
    installation: Installation,
    function: FunctionId,
    show: Callable[[LogLine], None],
    options: LogOptions,
) -> None:
    """Show the lines of a build as they are written, until the build has ended."""
    log = BuildLog(
        installation.api,
        installation.builds_namespace(),
        lambda line: show(options.line(line)),
        timestamps=options.timestamps,
    )
    while True:
        record = installation.record(function)
        has_ended = status_of(record).get("phase") in _ENDED
        job = build_of(record).get("job")
        if job:
            log.poll(job, at_once=has_ended)
        if has_ended:
            return
        time.sleep(_POLL_SECONDS)
