"""When objects of the platform changed, by watches of its Kubernetes API."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.bench.platform_process import Platform

WATCHED = {
    "Job": "/apis/batch/v1/namespaces/knative-lambda-builds/jobs",
    "Pod": "/api/v1/namespaces/knative-lambda-builds/pods",
    "LambdaFunction": "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions",
}
_PATIENCE_SECONDS = 180.0


class Seen(NamedTuple):
    """A change, and the time at which we were told of it."""

    at: float
    kind: str
    object: dict[str, Any]

    @property
    def name(self) -> str:
        """The object's name."""
        name: str = self.object["metadata"]["name"]
        return name

    @property
    def status(self) -> dict[str, Any]:
        """The object's status, empty where it has none."""
        return self.object.get("status") or {}


class Timeline:
    """Records every change of build Jobs, their Pods and the lambdas while `with` lasts."""

    def __init__(self, platform: Platform) -> None:
        kubeconfig = yaml.safe_load((platform.home / "kubeconfig").read_text())
        self._token = kubeconfig["users"][0]["user"]["token"]
        self._platform = platform
        self._place = urlsplit(platform.urls["api"]).netloc
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        """Begin to watch; returns when no change can be missed."""
        api = self._platform.api()
        for kind, path in WATCHED.items():
            # From now on: what is there already may be ten thousand objects.
            version = api.json("GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
            connection = http.client.HTTPConnection(self._place, timeout=None)
            headers = {"Authorization": f"Bearer {self._token}"}
            query = f"watch=1&resourceVersion={version}"
            connection.request("GET", f"{path}?{query}", headers=headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"watching {path}: {answer.status}")
            self._connections.append(connection)
            threading.Thread(target=self._read, args=(kind, answer), daemon=True).start()
        api.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the watches."""
        for connection in self._connections:
            # Closing would wait for the reader, which waits for the next change.
            connection.sock.shutdown(socket.SHUT_RDWR)

    def since(self, moment: float) -> list[Seen]:
        """All changes from then on."""
        with self._changed:
            return [seen for seen in self._seen if seen.at >= moment]

    def wait_for(self, moment: float, holds: Callable[[Seen], bool]) -> Seen:
        """The first change since `moment` of which that holds."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        position = 0
        with self._changed:
            while True:
                for seen in self._seen[position:]:
                    if seen.at >= moment and holds(seen):
                        return seen
                position = len(self._seen)
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError("the platform did not come that far")

    def _read(self, kind: str, answer: http.client.HTTPResponse) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while line := answer.readline():
                seen = Seen(time.time(), kind, json.loads(line)["object"])
                with self._changed:
                    self._seen.append(seen)
                    self._changed.notify_all()
