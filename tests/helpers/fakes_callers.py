"""Kubernetes as callers see it, in memory; the contract test runs on it too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.caller import LAMBDA_FUNCTIONS, Page, PodLog, Right
from knative_lambda.domain.errors import (
    ExpiredError,
    ForbiddenError,
    RejectedByPlatformError,
    UnauthenticatedError,
)
from knative_lambda.domain.lambda_function import API_GROUP

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId

READ_LAMBDAS = {f"{verb} {LAMBDA_FUNCTIONS}.{API_GROUP}" for verb in ("get", "list")}
EXPIRED = "expired"


@dataclass
class InMemoryCallers:
    """`rights`: token -> namespace -> what `Right` says as text, of all names."""

    rights: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    records: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pod_logs: dict[tuple[str, str], list[PodLog]] = field(default_factory=dict)

    def with_token(self, token: str) -> InMemoryCallersCluster:
        return InMemoryCallersCluster(self, token)

    def add(self, namespace: str, name: str, **parts: Any) -> dict[str, Any]:
        """Add a record; `parts` are spec, status and labels."""
        number = len(self.records) + 1
        item = {
            "metadata": {
                "namespace": namespace,
                "name": name,
                "uid": f"uid-{number}",
                "generation": 1,
                "resourceVersion": str(number),
                "creationTimestamp": "2026-12-01T12:00:00Z",
                "labels": parts.pop("labels", {}),
            },
            "spec": {"runtime": "python3.11"},
        } | parts
        self.records[namespace, name] = item
        return item


@dataclass
class InMemoryCallersCluster:
    """One caller's."""

    callers: InMemoryCallers
    token: str

    def lambdas(
        self, namespace: str, *, limit: int, after: str | None, selector: str | None
    ) -> Page:
        self._need(namespace, Right(verb="list", group=API_GROUP, resource=LAMBDA_FUNCTIONS))
        if after == EXPIRED:
            raise ExpiredError("the list has expired")
        if selector and "=" not in selector:
            raise RejectedByPlatformError("the selector is wrong")
        wanted = dict(part.split("=") for part in selector.split(",")) if selector else {}
        items = [
            item
            for (where, name), item in sorted(self.callers.records.items())
            if where == namespace
            and (after is None or name > after)
            and wanted.items() <= item["metadata"]["labels"].items()
        ]
        rest = items[limit - 1]["metadata"]["name"] if len(items) > limit else None
        return Page(items=items[:limit], after=rest)

    def find(self, function: FunctionId) -> dict[str, Any] | None:
        right = Right(verb="get", group=API_GROUP, resource=LAMBDA_FUNCTIONS)
        self._need(function.namespace, right)
        return self.callers.records.get((function.namespace, function.name))

    def may(self, namespace: str, right: Right) -> bool:
        of_all = Right(
            verb=right.verb,
            group=right.group,
            resource=right.resource,
            subresource=right.subresource,
        )
        granted = self._granted(namespace)
        return str(of_all) in granted or str(right) in granted

    def logs(
        self, function: FunctionId, *, lines: int, timestamps: bool, max_bytes: int
    ) -> list[PodLog]:
        self._need(function.namespace, Right(verb="get", resource="pods", subresource="log"))
        return self.callers.pod_logs.get((function.namespace, function.name), [])

    def _granted(self, namespace: str) -> set[str]:
        if self.token not in self.callers.rights:
            raise UnauthenticatedError("401 Unauthorized")
        return self.callers.rights[self.token].get(namespace, set())

    def _need(self, namespace: str, right: Right) -> None:
        if str(right) not in self._granted(namespace):
            raise ForbiddenError(f"403 you may not {right} in {namespace}")
