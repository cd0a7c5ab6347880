"""Build Jobs in their own namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes import build_failures, build_pods
from knative_lambda.adapters.kubernetes.client import JOBS, PODS
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.domain.build import BuildFailure, BuildJob, JobState, PendingBuild
from knative_lambda.domain.errors import RejectedByPlatformError
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import build_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject
    from knative_lambda.domain.build import BuildOrder
    from knative_lambda.manifests.build_job import BuildJobOptions


# Kubernetes rejects a lookup by any other name, and nothing can have one.
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesBuildJobs:
    """The Job is named after the request: AlreadyExists means that the event came before.

    `options` are only needed to start builds.
    """

    api: KubernetesApi
    namespace: str
    options: BuildJobOptions | None = None

    def start(self, order: BuildOrder) -> BuildJob:
        """Make the Job, or return the one that is there."""
        if self.options is None:
            raise RejectedByPlatformError("this function does not start builds")
        return self._read(self.api.create_or_get(JOBS, build_job(order, self.options)))

    def get(self, name: str) -> BuildJob | None:
        """A Job of ours; None for one that is gone or is not a build."""
        if not _NAME.fullmatch(name):
            return None
        item = self.api.find(JOBS, self.namespace, name)
        return self._read(item) if item is not None and _is_build(item) else None

    def pending(self, name: str) -> PendingBuild | None:
        """Return the start of a Job by its newest Pod; None when there is nothing to wait for."""
        item = self.api.find(JOBS, self.namespace, name)
        if item is None or _end(item, "Complete", "Failed", "FailureTarget") is not None:
            return None
        pod = build_pods.newest(self._pods_of(item))
        if pod is None:
            return PendingBuild(has_pod=False, since=_time(item))
        if build_pods.has_started(pod) or build_pods.is_held_back(pod):
            return None
        return PendingBuild(
            has_pod=True,
            since=_time(pod),
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
            if _is_build(item):
                yield self._read(item)

    def _read(self, item: KubernetesObject) -> BuildJob:
        metadata = item["metadata"]
        state, finished, digest, failure = JobState.RUNNING, None, None, None
        if (end := _end(item, "Complete")) is not None:
            state, finished = JobState.SUCCEEDED, end["lastTransitionTime"]
            digest = build_pods.digest(build_pods.newest(self._pods_of(item)))
        elif (end := _end(item, "Failed", "FailureTarget")) is not None:
            state, finished = JobState.FAILED, end["lastTransitionTime"]
            failure = _failure(item, end, self._pods_of(item))
        else:
            pods = self._pods_of(item)
            published = build_pods.published(build_pods.newest(pods))
            if published is not None:
                # Kubernetes marks the Job as complete only two seconds later.
                state, (digest, finished) = JobState.SUCCEEDED, published
            elif _failed_attempts(item):
                failure = build_failures.lasting(pods)
                state = JobState.RUNNING if failure is None else JobState.FAILED
        return BuildJob(
            name=metadata["name"],
            function=FunctionId(
                metadata["labels"][labels.FUNCTION_NAMESPACE],
                metadata["labels"][labels.FUNCTION_NAME],
            ),
            build_id=metadata["annotations"][labels.BUILD_ID],
            request_id=metadata["annotations"][labels.REQUEST_ID],
            state=state,
            created_at=_time(item),
            finished_at=datetime.fromisoformat(finished) if finished else None,
            digest=digest,
            failure=failure,
        )

    def _pods_of(self, item: KubernetesObject) -> Sequence[KubernetesObject]:
        """Return the Pods of this very Job: an earlier one of that name may have left some."""
        pods = self.api.list(PODS, self.namespace, labels={"job-name": item["metadata"]["name"]})
        return [pod for pod in pods if item["metadata"]["uid"] in _owners(pod)]


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


def _end(item: KubernetesObject, *types: str) -> dict[str, Any] | None:
    """Return the condition that reports a Job's end.

    `FailureTarget` comes before `Failed`, while the Pods of the Job are still there to be asked.
    """
    conditions: list[dict[str, Any]] = (item.get("status") or {}).get("conditions") or []
    true = {each["type"]: each for each in conditions if each["status"] == "True"}
    return next((true[type_] for type_ in types if type_ in true), None)


def _failed_attempts(item: KubernetesObject) -> int:
    status = item.get("status") or {}
    uncounted = (status.get("uncountedTerminatedPods") or {}).get("failed") or ()
    return len(uncounted) + int(status.get("failed") or 0)


def _had_pod(item: KubernetesObject) -> bool:
    status = item.get("status") or {}
    return bool(_failed_attempts(item) or status.get("active") or status.get("terminating"))


def _owners(pod: KubernetesObject) -> set[str]:
    return {owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()}


def _time(item: KubernetesObject) -> datetime:
    return datetime.fromisoformat(item["metadata"]["creationTimestamp"])


def _is_build(job: KubernetesObject) -> bool:
    """Whether it has the marks of `build_job`; other Jobs in the namespace are not ours."""
    metadata = job["metadata"]
    marks = (metadata.get("annotations") or {}) | (metadata.get("labels") or {})
    return {
        labels.BUILD_ID,
        labels.REQUEST_ID,
        labels.FUNCTION_NAMESPACE,
        labels.FUNCTION_NAME,
    } <= marks.keys()
