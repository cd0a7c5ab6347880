"""The build Jobs that wait or run, in their own namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from knative_lambda.domain.build_queue import QueuedBuild
from knative_lambda.domain.errors import ConflictError
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import index_credentials
from knative_lambda.manifests.build_secret import build_secret

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesApi, KubernetesObject
    from knative_lambda.domain.build import BuildAccess
    from knative_lambda.manifests.build_job import BuildJobOptions

_OURS = {labels.MANAGED_BY: "knative-lambda"}
_ENDS = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesBuildQueue:
    """Waiting is `spec.suspend`; a Job that changed since it was listed is neither run nor removed.

    A Job without a Secret cannot run, so its Secret is made before it is released.
    """

    api: KubernetesApi
    options: BuildJobOptions

    def builds(self, *, exact: bool = True) -> list[QueuedBuild]:
        """Return the Jobs that have not ended; exactly, by their Pods too."""
        # Most of the Jobs of the last hour succeeded, and are not even sent.
        items = self.api.list(JOBS, self._namespace, labels=_OURS, fields="status.successful=0")
        # Of each only what is needed: a thousand Jobs that wait are some MiB.
        found = [
            (_queued(item), _had_pod(item))
            for item in items
            if is_build(item) and not _has_ended(item)
        ]
        if exact and any(had_pod for _, had_pod in found):
            live = self._owners_of_live_pods()
            return [build for build, had_pod in found if not had_pod or build.uid in live]
        return [build for build, _ in found]

    def release(self, build: QueuedBuild, access: BuildAccess) -> bool:
        """Make the Secret with URLs that have just been signed, then let the Job run."""
        job = self.api.find(JOBS, self._namespace, build.name)
        if job is None:
            return False
        secret = build_secret(
            access,
            namespace=self._namespace,
            index_credentials=index_credentials(job, self.options),
            job_uid=build.uid,
        )
        self._make_secret(secret)
        change = {"metadata": {"resourceVersion": build.version}, "spec": {"suspend": False}}
        try:
            self.api.merge(JOBS, self._namespace, build.name, change)
        except (ConflictError, NotFoundError):
            return False
        return True

    def withdraw(self, build: QueuedBuild) -> bool:
        """Remove the Job, and with it its Pods and its Secret."""
        try:
            self.api.delete_version(JOBS, self._namespace, build.name, build.version)
        except (ConflictError, NotFoundError):
            return False
        return True

    @property
    def _namespace(self) -> str:
        return self.options.namespace

    def _owners_of_live_pods(self) -> set[str]:
        fields = "status.phase!=Succeeded,status.phase!=Failed"
        pods = self.api.list(PODS, self._namespace, labels=_OURS, fields=fields)
        return {uid for pod in pods for uid in owners(pod)}

    def _make_secret(self, secret: KubernetesObject) -> None:
        """Make it anew: what somebody left who died before the release opens nothing any more."""
        name = secret["metadata"]["name"]
        try:
            self.api.create(SECRETS, secret)
        except AlreadyExistsError:
            self.api.delete(SECRETS, self._namespace, name)
            # Whoever else makes it at this moment releases the same Job, and signs the same.
            self.api.create_or_get(SECRETS, secret)


def _has_ended(job: KubernetesObject) -> bool:
    return end_of(job, *_ENDS) is not None or "deletionTimestamp" in job["metadata"]


def _had_pod(job: KubernetesObject) -> bool:
    """Whether Kubernetes counts a Pod of it as active, as it does for seconds after its end."""
    return bool((job.get("status") or {}).get("active"))


def _queued(job: KubernetesObject) -> QueuedBuild:
    metadata = job["metadata"]
    return QueuedBuild(
        name=metadata["name"],
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        function=function_of(job),
        build_id=metadata["annotations"][labels.BUILD_ID],
        request_id=request_of(job),
        created_at=created_at(job),
        waits=is_suspended(job),
    )
