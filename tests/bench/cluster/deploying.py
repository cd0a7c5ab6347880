"""Deploy times on a real cluster: event sent to first answered request, with what came between."""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.bench.builds import IN_REGISTRY, JOB, is_job, is_true
from tests.bench.cluster.access import SERVICES
from tests.bench.cluster.moments import (
    POD_OF,
    RECORD_READY,
    TOTAL,
    Lambda,
    image_of,
    moments,
)
from tests.bench.functions import RUNTIME, event, source, version_of
from tests.helpers.cluster import TENANT
from tests.helpers.lambda_platform import BUILD_START, DELETE

if TYPE_CHECKING:
    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.registry_storage import Pushed
    from tests.bench.timeline import Seen, Timeline

_UNCHANGED_MOMENTS = {JOB, IN_REGISTRY, *POD_OF.values()}
_POLL_SECONDS = 0.04
_PATIENCE_SECONDS = 120.0


class Deployed(NamedTuple):
    """One deployment: seconds from sending to each moment, and what came to the registry."""

    seconds: dict[str, float]
    pushed: Pushed | None


class Answering(Protocol):
    """What answers events."""

    def send_event(self, path: str, data: object, **attributes: str) -> tuple[int, bytes]:
        """Status and body."""


class Deployer:
    """Deploys by events, and asks the lambda until it answers as the new one does."""

    def __init__(self, cluster: MeasuredCluster, timeline: Timeline) -> None:
        self._cluster, self._timeline = cluster, timeline
        self._names: list[str] = []

    def new_name(self) -> str:
        """One that no lambda had; `remove_all` deletes it."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self._names.append(name)
        return name

    def deploy(self, name: str, kind: str, version: int) -> Deployed:
        """Until the lambda answers; returns when nothing of it is under way."""
        old = self._cluster.api.get(f"{SERVICES}/{name}")
        wanted = Lambda(name, kind, version, image_of(old) if old else None)
        connection = self._cluster.lambda_connection(name)
        begin, request_id, sender = self._send(wanted)
        answered = await_answer(connection, wanted)
        ready = self._await_record(begin, wanted, request_id)
        self._let_it_end(begin, name, sender)
        found = moments(self._timeline.since(begin), wanted, begin)
        found |= {RECORD_READY: ready.at, TOTAL: answered}
        return self._deployed(name, begin, found)

    def deploy_again(self, name: str, kind: str, version: int) -> Deployed:
        """The same source once more: until its record says so, and the lambda has answered."""
        connection = self._cluster.lambda_connection(name)
        wanted = Lambda(name, kind, version)
        is_answered_by(connection, wanted)  # it runs, as it did before the request
        begin, request_id, sender = self._send(wanted)
        ready = self._await_record(begin, wanted, request_id)
        if not is_answered_by(connection, wanted):
            raise RuntimeError(f"{name} does not answer")
        answered = time.time()
        self._let_it_end(begin, name, sender)
        found = moments(self._timeline.since(begin), wanted, begin)
        found = {what: at for what, at in found.items() if what in _UNCHANGED_MOMENTS}
        found |= {RECORD_READY: ready.at, TOTAL: answered}
        return self._deployed(name, begin, found)

    def keep_awake(self, name: str, kind: str, version: int) -> None:
        """One request to a lambda."""
        is_answered_by(self._cluster.lambda_connection(name), Lambda(name, kind, version))

    def remove_all(self) -> None:
        """Delete every lambda that was deployed here."""
        for name in self._names:
            now = datetime.now(UTC).isoformat()
            self._cluster.send(DELETE, f"{TENANT}/{name}", {}, time=now)
        self._names.clear()

    def _deployed(self, name: str, begin: float, found: dict[str, float]) -> Deployed:
        seconds = {what: at - begin for what, at in found.items()}
        return Deployed(seconds, self._cluster.pushed(name, begin))

    def _send(self, wanted: Lambda) -> tuple[float, str, threading.Thread]:
        request_id = uuid.uuid4().hex
        spec = {"runtime": RUNTIME, "source": {"inline": source(wanted.kind, wanted.version)}}
        attributes = {"id": request_id, "time": datetime.now(UTC).isoformat()}
        # Some Brokers answer when the whole chain is over.
        sender = threading.Thread(
            target=self._cluster.send,
            args=(BUILD_START, f"{TENANT}/{wanted.name}", spec),
            kwargs=attributes,
            daemon=True,
        )
        begin = time.time()
        sender.start()
        return begin, request_id, sender

    def _await_record(self, begin: float, wanted: Lambda, request_id: str) -> Seen:
        def is_settled(seen: Seen) -> bool:
            build = seen.status.get("build") or {}
            is_this = seen.kind == "LambdaFunction" and seen.name == wanted.name
            return (
                is_this
                and build.get("wishId") == request_id
                and (seen.status.get("phase") in {"Ready", "Failed"})
            )

        ready = self._timeline.wait_for(begin, is_settled)
        if ready.status["phase"] != "Ready":
            raise RuntimeError(f"{wanted.name} failed: {ready.status}")
        return ready

    def _let_it_end(self, begin: float, name: str, sender: threading.Thread) -> None:
        """What follows a deployment is not to disturb the next one."""
        sender.join(_PATIENCE_SECONDS)
        if any(is_job(seen, name, begin) for seen in self._timeline.since(begin)):
            self._timeline.wait_for(
                begin, lambda seen: is_job(seen, name, begin) and is_true(seen, "Complete")
            )
        time.sleep(1)


def await_answer(connection: Answering, wanted: Lambda) -> float:
    """Ask gently, since two cores do all the work; the time of the wanted version's answer."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_answered_by(connection, wanted):
        if time.monotonic() > deadline:
            raise TimeoutError(f"version {wanted.version} of {wanted.name} does not answer")
        time.sleep(_POLL_SECONDS)
    return time.time()


def is_answered_by(connection: Answering, wanted: Lambda) -> bool:
    """Whether the wanted version answered."""
    data, attributes = event(wanted.kind)
    status, answer = connection.send_event("/", data, **attributes)
    return status == http.HTTPStatus.OK and version_of(answer) == wanted.version
