"""Why build-start rejected a request, from the Event that it writes in the namespace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kn_lambda.cluster.rejection import Rejection
from knative_lambda.adapters.kubernetes.client import EVENTS
from knative_lambda.domain.errors import KnativeLambdaError
from knative_lambda.manifests import labels
from knative_lambda.manifests.rejection_event import rejection_event_name

if TYPE_CHECKING:
    from kn_lambda.cluster.api import ClusterApi
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.inbound.valid_event import CloudEvent

_PAUSE_SECONDS = 0.25


class Rejections:
    """Polls the rejection of one event; finds none without permission to read Events."""

    def __init__(self, api: ClusterApi, function: FunctionId, event: CloudEvent) -> None:
        source, event_id = event.attributes["source"], event.attributes["id"]
        self._api = api
        self._namespace = function.namespace
        self._name = rejection_event_name(function, source=source, event_id=event_id)
        self._next = 0.0

    def poll(self) -> Rejection | None:
        """Return why the event was rejected, once the Event exists."""
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + _PAUSE_SECONDS
        try:
            found = self._api.find(EVENTS, self._namespace, self._name)
        except KnativeLambdaError:
            return None  # the watcher works without it
        return None if found is None else _read(found)


def _read(item: KubernetesObject) -> Rejection:
    field = (item["metadata"].get("annotations") or {}).get(labels.FIELD, "")
    message = str(item.get("message", "")).removeprefix(f"{field}: ")
    return Rejection(reason=str(item.get("reason", "")), message=message, field=field)
