"""Lambdas as a caller may see them, read from Kubernetes when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.errors import NothingThereError
from knative_lambda.domain.lambda_views import LambdaList, LambdaSummary, LambdaView

if TYPE_CHECKING:
    from knative_lambda.domain.lambda_views import ListQuery
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import CallersCluster

_TRUTHS = ("True", "False", "Unknown")


def list_lambdas(cluster: CallersCluster, namespace: str, query: ListQuery) -> LambdaList:
    """Return a page: of the records that Kubernetes has in it, those that the filters let through.

    So a page may be empty and not be the last one.
    """
    page = cluster.lambdas(
        namespace, limit=query.limit, after=query.after, selector=query.label_selector
    )
    found = [_summary(item) for item in page.items]
    return LambdaList(
        items=[
            each
            for each in found
            if query.phase in {None, each.phase} and query.runtime in {None, each.runtime}
        ],
        after=page.after,
    )


def read_lambda(cluster: CallersCluster, function: FunctionId) -> LambdaView:
    """Return one; `NothingThereError` where there is none."""
    item = cluster.find(function)
    if item is None:
        raise NothingThereError(f"there is no LambdaFunction {function}", field="name")
    return LambdaView(
        **_identity(item),
        deleting="deletionTimestamp" in item["metadata"],
        spec=mapping(item.get("spec")),
        status=mapping(item.get("status")),
    )


def mapping(value: object) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """Return text; None for anything else."""
    return value if isinstance(value, str) else None


def _summary(item: dict[str, Any]) -> LambdaSummary:
    spec, status = mapping(item.get("spec")), mapping(item.get("status"))
    ready = _ready(status)
    truth = ready.get("status")
    return LambdaSummary(
        **_identity(item),
        runtime=text(spec.get("runtime")),
        phase=text(status.get("phase")),
        ready=truth if truth in _TRUTHS else "Unknown",
        message=text(ready.get("message")),
        url=text(status.get("url")),
        image=text(status.get("image")),
    )


def _ready(status: dict[str, Any]) -> dict[str, Any]:
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        if mapping(condition).get("type") == "Ready":
            return mapping(condition)
    return {}


def _identity(item: dict[str, Any]) -> dict[str, Any]:
    """Return what the API server itself writes, and labels, which it checks."""
    metadata = item["metadata"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "generation": metadata.get("generation", 0),
        "resource_version": metadata["resourceVersion"],
        "created_at": metadata["creationTimestamp"],
        "labels": metadata.get("labels") or {},
    }
