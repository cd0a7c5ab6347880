"""Builds that wait or run, by what the records of their functions say.

Not by their Jobs: whoever may read those sees the builds of all tenants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kn_lambda.cluster.records import mapping, mappings, text
from knative_lambda.domain.lambda_function import QUEUED, Phase
from knative_lambda.manifests import labels

if TYPE_CHECKING:
    from knative_lambda.adapters.kubernetes.client import KubernetesObject


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """The newest build of a function, which has not ended; `place` is empty unless it waits."""

    namespace: str
    name: str
    build_id: str
    request_id: str
    job: str
    is_waiting: bool
    place: str
    since: str

    def to_json(self) -> dict[str, Any]:
        """Return it as `-o json` shows it."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "buildId": self.build_id,
            "requestId": self.request_id,
            "job": self.job,
            "state": self.state,
            "place": self.place,
            "since": self.since,
        }

    @property
    def state(self) -> str:
        """One word."""
        return "waiting" if self.is_waiting else "building"


def build_under_way(record: KubernetesObject) -> Build | None:
    """Return the build of a function; None where none waits or runs."""
    metadata, status = record["metadata"], mapping(record.get("status"))
    if status.get("phase") != Phase.BUILDING:
        return None
    build = mapping(status.get("build"))
    place = place_in_queue(status)
    annotations = mapping(metadata.get("annotations"))
    return Build(
        namespace=metadata["namespace"],
        name=metadata["name"],
        build_id=text(build.get("id")),
        request_id=text(build.get("wishId")),
        job=text(build.get("job")),
        is_waiting=place is not None,
        place=place or "",
        since=text(annotations.get(labels.REQUEST_TIME)) or text(build.get("startedAt")),
    )


def place_in_queue(status: dict[str, Any]) -> str | None:
    """Return the place of a build that waits, such as "3rd of 7 waiting builds"; else None."""
    for condition in mappings(status.get("conditions")):
        if (condition.get("type"), condition.get("reason")) == ("BuildReady", QUEUED):
            return text(condition.get("message"))
    return None
