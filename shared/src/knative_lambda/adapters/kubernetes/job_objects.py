"""What the object of a build Job says about it; pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_MARKS = {labels.BUILD_ID, labels.FUNCTION_NAMESPACE, labels.FUNCTION_NAME}
# Of this version, and of those before it, whose Jobs may end after an upgrade.
_REQUESTS = (labels.JOB_REQUEST_ID, labels.REQUEST_ID)


def is_build(job: KubernetesObject) -> bool:
    """Whether it has the marks of `build_job`; other Jobs in the namespace are not ours."""
    metadata = job["metadata"]
    marks = (metadata.get("annotations") or {}) | (metadata.get("labels") or {})
    return marks.keys() >= _MARKS and not marks.keys().isdisjoint(_REQUESTS)


def is_suspended(job: KubernetesObject) -> bool:
    """Whether it waits until somebody releases it."""
    return bool(job["spec"].get("suspend"))


def end_of(job: KubernetesObject, *types: str) -> dict[str, Any] | None:
    """Return the first of these conditions that reports the Job's end.

    `FailureTarget` comes before `Failed`, while the Pods of the Job are still there to be asked.
    """
    conditions: list[dict[str, Any]] = (job.get("status") or {}).get("conditions") or []
    true = {each["type"]: each for each in conditions if each["status"] == "True"}
    return next((true[type_] for type_ in types if type_ in true), None)


def function_of(job: KubernetesObject) -> FunctionId:
    """Return the lambda that it builds."""
    own = job["metadata"]["labels"]
    return FunctionId(own[labels.FUNCTION_NAMESPACE], own[labels.FUNCTION_NAME])


def request_of(job: KubernetesObject) -> str:
    """Return the time and the id of the request that it builds for."""
    annotations: dict[str, str] = job["metadata"]["annotations"]
    return next(annotations[each] for each in _REQUESTS if each in annotations)


def owners(item: KubernetesObject) -> set[str]:
    """Return the uids of the objects that own this one."""
    return {owner["uid"] for owner in item["metadata"].get("ownerReferences") or ()}


def created_at(item: KubernetesObject) -> datetime:
    """Return when it was made, to the second."""
    return datetime.fromisoformat(item["metadata"]["creationTimestamp"])
