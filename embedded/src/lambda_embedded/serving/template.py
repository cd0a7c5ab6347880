"""The settings of serving in a revision's template."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.serving.settings import ServingSettings

_AUTOSCALING = "autoscaling.knative.dev/"
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)ms")
# What Knative's autoscaler aims at where nothing limits the concurrency of a container.
_DEFAULT_TARGET = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingRules:
    """How many processes a revision may have, how they are probed and how long things may take."""

    concurrency: int  # requests that one process may have under way; 0 is no limit
    target: int  # requests per process at which one more process helps
    min_processes: int
    max_processes: int
    idle_seconds: float
    retention_seconds: float
    timeout_seconds: float
    progress_deadline_seconds: float
    probe_path: str | None  # None: ready when the port accepts connections


def serving_rules(template: Mapping[str, Any], settings: ServingSettings) -> ServingRules:
    """Read a template; missing and invalid values come from the settings."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    spec = template.get("spec") or {}
    concurrency = int(spec.get("containerConcurrency") or 0)
    cap = settings.max_processes_per_service
    max_scale = _number(annotations, "max-scale", "maxScale")
    most = min(max_scale or cap, cap)
    target = _number(annotations, "target") or concurrency or _DEFAULT_TARGET

    def seconds(name: str, default: float) -> float:
        value = parse_duration(annotations.get(name, ""))
        return default if value is None else value

    return ServingRules(
        concurrency=concurrency,
        target=min(target, concurrency) if concurrency else target,
        min_processes=min(_number(annotations, "min-scale", "minScale"), most),
        max_processes=most,
        idle_seconds=seconds(f"{_AUTOSCALING}window", settings.idle_window_seconds),
        retention_seconds=seconds(f"{_AUTOSCALING}scale-to-zero-pod-retention-period", 0.0),
        timeout_seconds=float(spec.get("timeoutSeconds") or settings.request_timeout_seconds),
        progress_deadline_seconds=seconds(
            "serving.knative.dev/progress-deadline", settings.progress_deadline_seconds
        ),
        probe_path=_probe_path(spec),
    )


def parse_duration(text: str) -> float | None:
    """Read a Go duration (`1m30s`, `500ms`) as seconds; None when it is none."""
    milliseconds = _MILLISECONDS.fullmatch(text)
    if milliseconds:
        return float(milliseconds[1]) / 1000
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def template_digest(template: Mapping[str, Any]) -> str:
    """Return the same text for the same template, and another for any other."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _number(annotations: Mapping[str, str], *names: str) -> int:
    for name in names:
        text = str(annotations.get(_AUTOSCALING + name, ""))
        if text.isdecimal():
            return int(text)
    return 0


def _probe_path(spec: Mapping[str, Any]) -> str | None:
    containers = spec.get("containers") or [{}]
    probe = (containers[0].get("readinessProbe") or {}).get("httpGet")
    if probe is None:
        return None
    path: str = probe.get("path") or "/"
    return path if path.startswith("/") else f"/{path}"
