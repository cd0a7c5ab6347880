"""Build Jobs in their own namespace."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.kubernetes.client import JOBS, PODS
from knative_lambda.adapters.kubernetes.errors import NotFoundError
from knative_lambda.domain.build import BuildFailure, BuildJob, JobState
from knative_lambda.domain.errors import RejectedByPlatformError
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import build_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject
    from knative_lambda.domain.build import BuildOrder
    from knative_lambda.manifests.build_job import BuildJobOptions

_USER_MISTAKE = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesBuildJobs:
    """The Job's name is the wish: AlreadyExists means that the event came before.

    `options` are needed to start builds only.
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
        item = self.api.find(JOBS, self.namespace, name)
        return self._read(item) if item is not None and _is_build(item) else None

    def log_tail(self, name: str, *, max_bytes: int) -> str:
        """The end of what the containers of the newest Pod wrote."""
        pod = self._newest_pod(name)
        if pod is None:
            return ""
        logs = []
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            path = PODS.path(self.namespace, pod["metadata"]["name"], "log")
            query = {"container": container["name"], "tailLines": "2000"}
            try:
                logs.append(self.api.text(path, query))
            except (NotFoundError, RejectedByPlatformError):
                continue  # this container never started
        return "".join(logs).encode()[-max_bytes:].decode(errors="ignore")

    def delete(self, name: str) -> None:
        """Remove a Job and its Pods; one that is gone is removed already."""
        self.api.delete(JOBS, self.namespace, name)

    def announce(self, name: str) -> None:
        """Change an annotation, of which the ApiServerSource sends an event."""
        now = datetime.now(UTC).isoformat()
        self.api.annotate(JOBS, self.namespace, name, {labels.ANNOUNCED_AT: now})

    def list(self, function: FunctionId | None = None) -> Iterator[BuildJob]:
        """Jobs of one lambda, or all, page by page."""
        wanted = {labels.MANAGED_BY: "knative-lambda"}
        if function is not None:
            wanted = labels.function_labels(function)
        for item in self.api.list(JOBS, self.namespace, labels=wanted):
            if _is_build(item):
                yield self._read(item)

    def _read(self, item: KubernetesObject) -> BuildJob:
        metadata, status = item["metadata"], item.get("status") or {}
        ends = {c["type"]: c for c in status.get("conditions", ()) if c["status"] == "True"}
        state, finished, digest, failure = JobState.RUNNING, None, None, None
        if "Complete" in ends:
            state, finished = JobState.SUCCEEDED, ends["Complete"]["lastTransitionTime"]
            digest = self._digest(metadata["name"])
        elif "Failed" in ends:
            state, finished = JobState.FAILED, ends["Failed"]["lastTransitionTime"]
            failure = self._failure(metadata["name"], ends["Failed"])
        return BuildJob(
            name=metadata["name"],
            function=FunctionId(
                metadata["labels"][labels.FUNCTION_NAMESPACE],
                metadata["labels"][labels.FUNCTION_NAME],
            ),
            build_id=metadata["annotations"][labels.BUILD_ID],
            wish_id=metadata["annotations"][labels.WISH_ID],
            state=state,
            created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
            finished_at=datetime.fromisoformat(finished) if finished else None,
            digest=digest,
            failure=failure,
        )

    def _digest(self, job: str) -> str | None:
        """Take the digest, and nothing else, from what `publish` left behind."""
        # Of no other container: users' code can run in `build` and write a message there.
        for terminated in _terminated(self._newest_pod(job), "publish"):
            digest = _message(terminated).get("digest")
            if isinstance(digest, str) and _DIGEST.fullmatch(digest):
                return digest
        return None  # the Pod is gone: the image is found by its tag

    def _failure(self, job: str, condition: dict[str, Any]) -> BuildFailure:
        for terminated in _terminated(self._newest_pod(job)):
            said = _message(terminated)
            if terminated["exitCode"] != 0 and "reason" in said:
                return BuildFailure(
                    reason=_text(said["reason"]),
                    message=_text(said.get("message", "")),
                    is_users=terminated["exitCode"] == _USER_MISTAKE,
                )
        if condition.get("reason") == "DeadlineExceeded":
            text = "the build took longer than this installation allows"
            return BuildFailure(reason="BuildTimeout", message=text, is_users=True)
        for terminated in _terminated(self._newest_pod(job)):
            if terminated["exitCode"] != 0:
                code = terminated["exitCode"]
                reason = terminated.get("reason") or "Error"
                text = f"a container of the build ended with exit code {code} ({reason})"
                return BuildFailure(reason="BuildCrashed", message=text, is_users=False)
        return BuildFailure(
            reason=condition.get("reason") or "BuildFailed",
            message=condition.get("message") or "the build Job failed",
            is_users=False,
        )

    def _newest_pod(self, job: str) -> KubernetesObject | None:
        pods = self.api.list(PODS, self.namespace, labels={"job-name": job})
        return max(pods, key=_age_key, default=None)


def _age_key(pod: KubernetesObject) -> tuple[str, int]:
    metadata = pod["metadata"]
    return metadata["creationTimestamp"], int(metadata["resourceVersion"])


def _is_build(job: KubernetesObject) -> bool:
    """Whether it has the marks of `build_job`; other Jobs in the namespace are not ours."""
    metadata = job["metadata"]
    marks = (metadata.get("annotations") or {}) | (metadata.get("labels") or {})
    return {
        labels.BUILD_ID,
        labels.WISH_ID,
        labels.FUNCTION_NAMESPACE,
        labels.FUNCTION_NAME,
    } <= marks.keys()


def _terminated(pod: KubernetesObject | None, container: str = "") -> list[dict[str, Any]]:
    """How the Pod's containers, or one of them, ended, in the order they ran."""
    status = (pod or {}).get("status") or {}
    statuses = (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    )
    ended = [
        (s.get("state") or {}).get("terminated") for s in statuses if container in {"", s["name"]}
    ]
    return [end for end in ended if end is not None]


def _message(terminated: dict[str, Any]) -> dict[str, Any]:
    try:
        message = json.loads(terminated.get("message") or "")
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _text(said: object) -> str:
    """What a container said of itself, as text that can be stored and sent on."""
    return str(said).encode(errors="replace").decode()
