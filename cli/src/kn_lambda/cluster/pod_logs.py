"""Logs of the Pods of a function."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from kn_lambda.cluster.log_lines import log_lines
from knative_lambda.adapters.kubernetes.client import PODS
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kn_lambda.cluster.api import ClusterApi
    from kn_lambda.cluster.log_lines import LogLine, LogOptions
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

_CONTAINER = "user-container"
_SERVICE_LABEL = "serving.knative.dev/service"
_ENDED = frozenset({"Succeeded", "Failed"})
_POLL_SECONDS = 0.5
# Followers wait while nobody takes their lines.
_MAX_WAITING = 1000


class PodLogs:
    """Logs of the running Pods, and of the newest Pod if it failed or none runs."""

    def __init__(
        self, api: ClusterApi, function: FunctionId, show: Callable[[LogLine], None]
    ) -> None:
        self._api = api
        self._function = function
        self._show = show
        self._written: queue.Queue[LogLine] = queue.Queue(_MAX_WAITING)

    def print_all(self, options: LogOptions) -> int | None:
        """Show the lines so far and return their number; None if there is no Pod."""
        pods = self._pods()
        chosen = [pod for pod in pods if _phase(pod) not in _ENDED]
        # A new revision that cannot start, beside those that still serve.
        if pods and pods[-1] not in chosen and (not chosen or _phase(pods[-1]) == "Failed"):
            chosen.append(pods[-1])
        shown = 0
        for pod in chosen:
            try:
                text = self._api.text(self._path(pod), options.query(_CONTAINER))
            except KnativeLambdaError:
                if len(chosen) == 1:
                    raise
                continue
            name = str(pod["metadata"]["name"]) if len(chosen) > 1 else ""
            for line in log_lines(text):
                self._show(options.line(line, pod=name))
                shown += 1
        return shown if chosen else None

    def follow(self, options: LogOptions) -> None:
        """Show lines as they are written, also of new Pods, until interrupted."""
        known: set[str] = set()
        is_first = True
        while True:
            for pod in self._fresh(known, is_first=is_first):
                known.add(pod["metadata"]["uid"])
                # A new Pod has nothing that was there before.
                own = options if is_first else replace(options, tail=None, since_seconds=None)
                threading.Thread(target=self._follow_one, args=(pod, own), daemon=True).start()
            is_first = False
            self._show_written(until=time.monotonic() + _POLL_SECONDS)

    def _fresh(self, known: set[str], *, is_first: bool) -> list[KubernetesObject]:
        """Return the Pods to follow from now on."""
        pods = self._pods()
        if is_first:
            # Of the Pods that have ended already, show only the newest.
            known.update(pod["metadata"]["uid"] for pod in pods[:-1] if _phase(pod) in _ENDED)
        started = [pod for pod in pods if _phase(pod) != "Pending"]
        return [pod for pod in started if pod["metadata"]["uid"] not in known]

    def _show_written(self, *, until: float) -> None:
        # In this thread, where a closed pipe and Ctrl-C end the command.
        while (seconds := until - time.monotonic()) > 0:
            try:
                self._show(self._written.get(timeout=seconds))
            except queue.Empty:
                return

    def _follow_one(self, pod: KubernetesObject, options: LogOptions) -> None:
        rest = b""
        query = {**options.query(_CONTAINER), "follow": "true"}
        try:
            for piece in self._api.follow(self._path(pod), query):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._written.put(options.line(line.decode(errors="replace")))
        except (KnativeLambdaError, OSError):
            return  # the Pod is gone; the next poll finds its successor

    def _pods(self) -> list[KubernetesObject]:
        labels = {_SERVICE_LABEL: self._function.name}
        pods = list(self._api.list(PODS, self._function.namespace, labels=labels))
        return sorted(pods, key=_age_key)

    def _path(self, pod: KubernetesObject) -> str:
        return PODS.path(self._function.namespace, pod["metadata"]["name"], "log")


def _age_key(pod: KubernetesObject) -> tuple[str, int]:
    metadata = pod["metadata"]
    version = str(metadata.get("resourceVersion", ""))
    return metadata["creationTimestamp"], int(version) if version.isdigit() else 0


def _phase(pod: KubernetesObject) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))
