"""The lines of a build while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kn_lambda.cluster.log_lines import log_lines
from knative_lambda.adapters.kubernetes.client import PODS
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kn_lambda.cluster.api import ClusterApi
    from knative_lambda.adapters.kubernetes.client import KubernetesObject

_PAUSE_SECONDS = 0.4


class BuildLog:
    """Hands on the new lines of a Job's Pods; who may not read them, sees none."""

    def __init__(self, api: ClusterApi, namespace: str, show: Callable[[str], None]) -> None:
        self._api = api
        self._namespace = namespace
        self._show = show
        self._shown: dict[tuple[str, str], int] = {}
        self._next = 0.0
        self.last_line = ""

    def poll(self, job: str, *, at_once: bool = False) -> None:
        """Show what was written since the last time, not more often than every 0.4 s."""
        now = time.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + _PAUSE_SECONDS
        try:
            for pod in self._api.list(PODS, self._namespace, labels={"job-name": job}):
                for container in _containers(pod):
                    self._read(pod["metadata"]["name"], container)
        except KnativeLambdaError:
            return  # the log is a convenience: the record says what matters

    def _read(self, pod: str, container: str) -> None:
        path = PODS.path(self._namespace, pod, "log")
        try:
            text = self._api.text(path, {"container": container})
        except KnativeLambdaError:
            return  # this container has not started
        begin = self._shown.get((pod, container), 0)
        end = text.rfind("\n") + 1
        for line in log_lines(text[begin:end]):
            self._show(line)
            self.last_line = line.strip() or self.last_line
        self._shown[pod, container] = max(begin, end)


def _containers(pod: KubernetesObject) -> Iterator[str]:
    for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        yield container["name"]
