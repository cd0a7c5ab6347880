"""When objects of the platform changed, by watches of its Kubernetes API."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

WATCHED = {
    "Job": "/apis/batch/v1/namespaces/knative-lambda-builds/jobs",
    "Pod": "/api/v1/namespaces/knative-lambda-builds/pods",
    "LambdaFunction": "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions",
}
_PATIENCE_SECONDS = 180.0
# An API server ends watches after half an hour unless it is told when.
_LONGEST_RUN_SECONDS = 6 * 3600


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


class Watchable(Protocol):
    """A Kubernetes API."""

    def open_api(self, timeout: float | None) -> http.client.HTTPConnection:
        """A connection of its own."""

    def api_headers(self) -> Mapping[str, str]:
        """Who asks."""


class Timeline:
    """Records every change of build Jobs, their Pods and the lambdas while `with` lasts."""

    def __init__(self, platform: Watchable, watched: Mapping[str, str] = WATCHED) -> None:
        self._platform = platform
        self._watched = watched
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        """Begin to watch; returns when no change can be missed."""
        for kind, path in self._watched.items():
            connection = self._platform.open_api(timeout=None)
            # From now on: what is there already may be ten thousand objects.
            now = json.loads(self._ask(connection, f"{path}?limit=1").read())
            version = now["metadata"]["resourceVersion"]
            query = f"watch=1&resourceVersion={version}&timeoutSeconds={_LONGEST_RUN_SECONDS}"
            answer = self._ask(connection, f"{path}?{query}")
            self._connections.append(connection)
            threading.Thread(target=self._read, args=(kind, answer), daemon=True).start()
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
            with contextlib.suppress(OSError):  # the other side has closed it
                connection.sock.shutdown(socket.SHUT_RDWR)

    def note(self, seen: Seen) -> None:
        """Add what was seen by other means than a watch."""
        with self._changed:
            self._seen.append(seen)
            self._changed.notify_all()

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

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
        connection.request("GET", path, headers=dict(self._platform.api_headers()))
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"watching {path}: {answer.status}")
        return answer

    def _read(self, kind: str, answer: http.client.HTTPResponse) -> None:
        # The last line may have arrived in part.
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while line := answer.readline():
                at = time.time()
                self.note(Seen(at, kind, json.loads(line)["object"]))
