"""Build Jobs in their own namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes import build_failures, build_pods
from knative_lambda.adapters.kubernetes.client import JOBS, PODS, SECRETS
from knative_lambda.adapters.kubernetes.errors import AlreadyExistsError, NotFoundError
from knative_lambda.adapters.kubernetes.job_objects import (
    created_at,
    end_of,
    function_of,
    is_build,
    is_suspended,
    owners,
    request_of,
)
from knative_lambda.domain.build import BuildFailure, BuildJob, JobState, PendingBuild
from knative_lambda.domain.errors import RejectedByPlatformError
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import build_job, index_credentials
from knative_lambda.manifests.build_secret import build_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject
    from knative_lambda.domain.build import BuildOrder
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.manifests.build_job import BuildJobOptions


# Kubernetes rejects a lookup by any other name, and nothing can have one.
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesBuildJobs:
    """The Job is named after the request: AlreadyExists means that the event came before.

    Its Secret is made right after it, since it belongs to it; its Pods wait until it is there.
    `options` are only needed to start builds.
    """

    api: KubernetesApi
    namespace: str
    options: BuildJobOptions | None = None

    def start(self, order: BuildOrder, *, waits: bool = False) -> BuildJob:
        """Make the Job and its Secret, or what is missing of them; one that waits has no Secret."""
        if self.options is None:
            raise RejectedByPlatformError("this function does not start builds")
        manifest = build_job(order, self.options, waits=waits)
        item = self.api.create_or_get(JOBS, manifest)
        job = self._read(item)
        if job.request_id != order.request_id and not job.has_ended:
            # Whoever is about to remove it as another request's finds that it has changed.
            request = {labels.JOB_REQUEST_ID: order.request_id}
            self.api.annotate(JOBS, self.namespace, order.name, request)
            item = self.api.create_or_get(JOBS, manifest)
            job = self._read(item)
        if job.state is JobState.RUNNING:
            uid = item["metadata"]["uid"]
            secret = build_secret(
                order,
                namespace=self.options.namespace,
                index_credentials=index_credentials(item, self.options),
                job_uid=uid,
            )
            self._make_secret(secret, job_uid=uid)
        return job

    def get(self, name: str) -> BuildJob | None:
        """A Job of ours; None for one that is gone or is not a build."""
        if not _NAME.fullmatch(name):
            return None
        item = self.api.find(JOBS, self.namespace, name)
        return self._read(item) if item is not None and is_build(item) else None

    def pending(self, name: str) -> PendingBuild | None:
        """Return the start of a Job by its newest Pod; None when there is nothing to wait for."""
        item = self.api.find(JOBS, self.namespace, name)
        if item is None or end_of(item, "Complete", "Failed", "FailureTarget") is not None:
            return None
        if is_suspended(item):
            return None
        pod = build_pods.newest(self._pods_of(item))
        if pod is None:
            return PendingBuild(has_pod=False, since=created_at(item))
        if build_pods.has_started(pod) or build_pods.is_held_back(pod):
            return None
        return PendingBuild(
            has_pod=True,
            since=created_at(pod),
            obstacle=build_failures.obstacle(pod),
            is_lasting=build_failures.cannot_start(pod),
        )

    def log_tail(self, name: str, *, max_bytes: int, timestamps: bool = False) -> str:
        """Return the end of what the containers of the newest Pod wrote."""
        pods = self.api.list(PODS, self.namespace, labels={"job-name": name})
        pod = build_pods.newest(list(pods))
        if pod is None:
            return ""
        logs = []
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            path = PODS.path(self.namespace, pod["metadata"]["name"], "log")
            query = {"container": container["name"], "tailLines": "2000"}
            if timestamps:
                query["timestamps"] = "true"
            try:
                logs.append(self.api.text(path, query))
            except (NotFoundError, RejectedByPlatformError):
                continue  # this container never started
        return "".join(logs).encode()[-max_bytes:].decode(errors="ignore")

    def close(self, name: str) -> None:
        """Remove the Secret of a Job that has ended, which stays itself for its log and its end."""
        item = self.api.find(JOBS, self.namespace, name)
        if item is None or not is_build(item) or self._read(item).finished_at is None:
            return
        secret = self.api.find(SECRETS, self.namespace, name)
        # Another Job of that name may have come since, with a Secret of its own.
        if secret is not None and item["metadata"]["uid"] in owners(secret):
            self.api.delete(SECRETS, self.namespace, name, uid=secret["metadata"]["uid"])

    def delete(self, name: str) -> None:
        """Remove a Job and its Pods; one that is gone is removed already."""
        self.api.delete(JOBS, self.namespace, name)

    def notify(self, name: str) -> None:
        """Change an annotation; the ApiServerSource sends an event about that."""
        now = datetime.now(UTC).isoformat()
        self.api.annotate(JOBS, self.namespace, name, {labels.NOTIFIED_AT: now})

    def list(self, function: FunctionId | None = None) -> Iterator[BuildJob]:
        """Jobs of one lambda, or all, page by page."""
        wanted = {labels.MANAGED_BY: "knative-lambda"}
        if function is not None:
            wanted = labels.function_labels(function)
        for item in self.api.list(JOBS, self.namespace, labels=wanted):
            if is_build(item):
                yield self._read(item)

    def _read(self, item: KubernetesObject) -> BuildJob:
        metadata = item["metadata"]
        state, finished, success, failure = JobState.RUNNING, None, None, None
        if (end := end_of(item, "Complete")) is not None:
            state, finished = JobState.SUCCEEDED, end["lastTransitionTime"]
            success = build_pods.success(build_pods.newest(self._pods_of(item)))
        elif (end := end_of(item, "Failed", "FailureTarget")) is not None:
            state, finished = JobState.FAILED, end["lastTransitionTime"]
            failure = _failure(item, end, self._pods_of(item))
        elif is_suspended(item):
            state = JobState.WAITING
        else:
            pods = self._pods_of(item)
            success = build_pods.success(build_pods.newest(pods))
            if success is not None:
                # Kubernetes marks the Job as complete only two seconds later.
                state, finished = JobState.SUCCEEDED, success.finished_at
            elif _failed_attempts(item):
                failure = build_failures.lasting(pods)
                state = JobState.RUNNING if failure is None else JobState.FAILED
        return BuildJob(
            name=metadata["name"],
            function=function_of(item),
            build_id=metadata["annotations"][labels.BUILD_ID],
            request_id=request_of(item),
            state=state,
            created_at=created_at(item),
            finished_at=datetime.fromisoformat(finished) if finished else None,
            digest=None if success is None else success.digest,
            pinned=success is not None and success.pinned,
            failure=failure,
        )

    def _make_secret(self, secret: KubernetesObject, *, job_uid: str) -> None:
        name = secret["metadata"]["name"]
        try:
            self.api.create(SECRETS, secret)
        except AlreadyExistsError:
            found = self.api.find(SECRETS, self.namespace, name)
            if found is not None and job_uid in owners(found):
                return  # a delivery before this one made it
            if found is not None:
                # Of a Job of that name which is gone: Kubernetes would collect it at some time.
                self.api.delete(SECRETS, self.namespace, name, uid=found["metadata"]["uid"])
            self.api.create(SECRETS, secret)

    def _pods_of(self, item: KubernetesObject) -> Sequence[KubernetesObject]:
        """Return the Pods of this very Job: an earlier one of that name may have left some."""
        pods = self.api.list(PODS, self.namespace, labels={"job-name": item["metadata"]["name"]})
        return [pod for pod in pods if item["metadata"]["uid"] in owners(pod)]


def _failure(
    item: KubernetesObject, condition: dict[str, Any], pods: Sequence[KubernetesObject]
) -> BuildFailure:
    if condition.get("reason") == "DeadlineExceeded":
        return build_failures.out_of_time(
            pods, had_pod=_had_pod(item), limit=item["spec"]["activeDeadlineSeconds"]
        )
    latest = build_pods.newest(pods)
    said = latest and (build_failures.ending(latest) or build_failures.crash(latest))
    return said or BuildFailure(
        reason=condition.get("reason") or "BuildFailed",
        message=condition.get("message") or "the build Job failed",
        is_users=False,
    )


def _failed_attempts(item: KubernetesObject) -> int:
    status = item.get("status") or {}
    uncounted = (status.get("uncountedTerminatedPods") or {}).get("failed") or ()
    return len(uncounted) + int(status.get("failed") or 0)


def _had_pod(item: KubernetesObject) -> bool:
    status = item.get("status") or {}
    return bool(_failed_attempts(item) or status.get("active") or status.get("terminating"))
