"""What the Broker itself counts: how often it sent what to whom, and how that was answered."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.helpers.cluster import CONTROL

if TYPE_CHECKING:
    from tests.helpers.cluster import Cluster

_NAMESPACE = "knative-eventing"
_PORT = 9092
_METRIC = "http_client_request_duration_seconds_count{"
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Delivery = tuple[str, str, str, str]
"""Trigger, type of the event, its subject, status of the answer."""


def deliveries(cluster: Cluster, namespace: str = CONTROL) -> Counter[Delivery]:
    """Requests to subscribers of a namespace's Triggers since the Broker's filter started.

    Of the multi-tenant channel Broker; its filter names the Trigger as the destination.
    """
    found: Counter[Delivery] = Counter()
    pods = cluster.api.list(
        f"/api/v1/namespaces/{_NAMESPACE}/pods", **{"eventing.knative.dev/brokerRole": "filter"}
    )
    for pod in pods:
        name = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{_NAMESPACE}/pods/{name}:{_PORT}/proxy/metrics"
        for line in cluster.api.request("GET", path).body.decode().splitlines():
            if line.startswith(_METRIC):
                labels = dict(_LABEL.findall(line))
                trigger = labels.get("messaging_destination_name", "")
                if trigger.startswith("trigger:") and trigger.endswith(f".{namespace}"):
                    key = (
                        trigger.removeprefix("trigger:").removesuffix(f".{namespace}"),
                        labels.get("cloudevents_type", ""),
                        labels.get("cloudevents_subject", ""),
                        labels.get("http_response_status_code", ""),
                    )
                    found[key] += int(float(line.rpartition(" ")[2]))
    return found
