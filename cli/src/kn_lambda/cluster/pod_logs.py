"""Logs of the Pods of a function."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from knative_lambda.adapters.kubernetes.client import PODS
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.api import ClusterApi
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

_CONTAINER = "user-container"
_SERVICE_LABEL = "serving.knative.dev/service"
_ENDED = frozenset({"Succeeded", "Failed"})
_POLL_SECONDS = 0.5


class PodLogs:
    """Logs of the running Pods, and of the newest Pod if it failed or none runs."""

    def __init__(self, api: ClusterApi, function: FunctionId) -> None:
        self._api = api
        self._function = function
        self._lock = threading.Lock()

    def print_all(self, show: Callable[[str], None], *, tail: int | None) -> int | None:
        """Show the lines so far and return their number; None if there is no Pod."""
        pods = self._pods()
        chosen = [pod for pod in pods if _phase(pod) not in _ENDED]
        # A new revision that cannot start, beside those that still serve.
        if pods and pods[-1] not in chosen and (not chosen or _phase(pods[-1]) == "Failed"):
            chosen.append(pods[-1])
        shown = 0
        for pod in chosen:
            query = self._query(tail)
            try:
                text = self._api.text(self._path(pod), query)
            except KnativeLambdaError:
                if len(chosen) == 1:
                    raise
                continue
            prefix = _prefix(pod) if len(chosen) > 1 else ""
            for line in log_lines(text):
                show(prefix + line)
                shown += 1
        return shown if chosen else None

    def follow(self, show: Callable[[str], None], *, tail: int | None) -> None:
        """Show lines as they are written, also of new Pods, until interrupted."""
        known: set[str] = set()
        is_first = True
        while True:
            pods = self._pods()
            fresh = [pod for pod in pods if pod["metadata"]["uid"] not in known]
            for pod in fresh:
                # Of the Pods that have ended already, show only the newest.
                if is_first and _phase(pod) in _ENDED and pod is not pods[-1]:
                    known.add(pod["metadata"]["uid"])
                    continue
                if _phase(pod) == "Pending":
                    continue
                known.add(pod["metadata"]["uid"])
                arguments = (pod, show, tail if is_first else None)
                threading.Thread(target=self._follow_one, args=arguments, daemon=True).start()
            is_first = False
            time.sleep(_POLL_SECONDS)

    def _follow_one(
        self, pod: KubernetesObject, show: Callable[[str], None], tail: int | None
    ) -> None:
        rest = b""
        try:
            for piece in self._api.follow(self._path(pod), {**self._query(tail), "follow": "true"}):
                *lines, rest = (rest + piece).split(b"\n")
                with self._lock:
                    for line in lines:
                        show(line.decode(errors="replace"))
        except (KnativeLambdaError, OSError):
            return  # the Pod is gone; the next poll finds its successor

    def _pods(self) -> list[KubernetesObject]:
        labels = {_SERVICE_LABEL: self._function.name}
        pods = list(self._api.list(PODS, self._function.namespace, labels=labels))
        return sorted(pods, key=_age_key)

    def _path(self, pod: KubernetesObject) -> str:
        return PODS.path(self._function.namespace, pod["metadata"]["name"], "log")

    def _query(self, tail: int | None) -> dict[str, str]:
        query = {"container": _CONTAINER}
        return query if tail is None else {**query, "tailLines": str(tail)}


def log_lines(text: str) -> list[str]:
    r"""Return the lines of a log; unlike `splitlines`, only `\n` ends a line."""
    return text.removesuffix("\n").split("\n") if text else []


def _age_key(pod: KubernetesObject) -> tuple[str, int]:
    metadata = pod["metadata"]
    version = str(metadata.get("resourceVersion", ""))
    return metadata["creationTimestamp"], int(version) if version.isdigit() else 0


def _phase(pod: KubernetesObject) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def _prefix(pod: KubernetesObject) -> str:
    return f"[{pod['metadata']['name']}] "
