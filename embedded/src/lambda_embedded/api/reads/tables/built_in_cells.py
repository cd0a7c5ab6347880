"""The cells of Kubernetes' own kinds, as its `printers.go` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.api.reads.tables.durations import human_duration, instant, since
from lambda_embedded.api.reads.tables.pod_cells import pod_cells

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lambda_embedded.store.objects import KubernetesObject

Cells = list[Any]


def _name(item: KubernetesObject) -> str:
    name: str = item["metadata"]["name"]
    return name


def _age(item: KubernetesObject, now: datetime) -> str:
    return since(item["metadata"].get("creationTimestamp"), now)


def _namespace(item: KubernetesObject, now: datetime) -> Cells:
    return [_name(item), (item.get("status") or {}).get("phase", ""), _age(item, now)]


def _config_map(item: KubernetesObject, now: datetime) -> Cells:
    count = len(item.get("data") or ()) + len(item.get("binaryData") or ())
    return [_name(item), count, _age(item, now)]


def _secret(item: KubernetesObject, now: datetime) -> Cells:
    return [_name(item), item.get("type", ""), len(item.get("data") or ()), _age(item, now)]


def _service_account(item: KubernetesObject, now: datetime) -> Cells:
    return [_name(item), len(item.get("secrets") or ()), _age(item, now)]


def _job(item: KubernetesObject, now: datetime) -> Cells:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return [
        _name(item),
        _job_state(item, status),
        _completions(spec, status.get("succeeded") or 0),
        _run_time(status, now),
        _age(item, now),
        ",".join(each["name"] for each in containers),
        ",".join(each.get("image", "") for each in containers),
        _selector(spec.get("selector") or {}),
    ]


def _job_state(item: KubernetesObject, status: dict[str, Any]) -> str:
    true = {one["type"] for one in status.get("conditions") or () if one["status"] == "True"}
    for state in ("Complete", "Failed"):
        if state in true:
            return state
    if "deletionTimestamp" in item["metadata"]:
        return "Terminating"
    return next((state for state in ("Suspended", "FailureTarget") if state in true), "Running")


def _completions(spec: dict[str, Any], succeeded: int) -> str:
    if "completions" in spec:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _run_time(status: dict[str, Any], now: datetime) -> str:
    start, end = instant(status.get("startTime")), instant(status.get("completionTime"))
    return human_duration(int(((end or now) - start).total_seconds())) if start else ""


def _selector(selector: dict[str, Any]) -> str:
    labels = selector.get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _event(item: KubernetesObject, now: datetime) -> Cells:
    first_time = item.get("firstTimestamp") or item.get("eventTime")
    series, about = item.get("series") or {}, item.get("involvedObject") or {}
    last_time = series.get("lastObservedTime") or item.get("lastTimestamp") or first_time
    kind, name = str(about.get("kind", "")).lower(), about.get("name")
    source = item.get("source") or {}
    component = source.get("component") or item.get("reportingComponent") or ""
    host = source.get("host") or item.get("reportingInstance") or ""
    return [
        since(last_time, now),
        item.get("type", ""),
        item.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        about.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        str(item.get("message", "")).strip(),
        since(first_time, now),
        series.get("count") or item.get("count") or 1,
        _name(item),
    ]


BUILT_IN_COLUMNS: dict[str, tuple[list[str], Callable[[KubernetesObject, datetime], Cells]]] = {
    "Namespace": (["Name", "Status", "Age"], _namespace),
    "ConfigMap": (["Name", "Data", "Age"], _config_map),
    "Secret": (["Name", "Type", "Data", "Age"], _secret),
    "ServiceAccount": (["Name", "Secrets", "Age"], _service_account),
    "Job": (
        ["Name", "Status", "Completions", "Duration", "Age", "(Containers)", "(Images)",
         "(Selector)"],
        _job,
    ),
    "Pod": (
        ["Name", "Ready", "Status", "Restarts", "Age", "(IP)", "(Node)", "(Nominated Node)",
         "(Readiness Gates)"],
        pod_cells,
    ),
    "Event": (
        ["Last Seen", "Type", "Reason", "Object", "(Subobject)", "(Source)", "Message",
         "(First Seen)", "(Count)", "(Name)"],
        _event,
    ),
}  # fmt: skip
"""Names of the columns, with those of `-o wide` in brackets, and their cells."""
