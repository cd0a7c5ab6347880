"""Deploy times on the embedded platform: event accepted to first answered request, in parts."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.functions import RUNTIME, event, source
from tests.bench.samples import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.platform_process import Connection, Platform
    from tests.bench.timeline import Seen, Timeline

TOTAL = "accepted -> first answer"
PARTS = (
    "accepted -> Job created",
    "Job created -> source unpacked, packages installed (build)",
    "image published (publish)",
    "Job finished -> record Ready",
    "record Ready -> first answer",
)
RECORD_TIME = "accepted -> record Ready"
JOURNAL_TIME = "build.start -> function.ready in the Broker's journal"
_BUILD_START = "dev.knative-lambda.build.start.v1"
_READY = "dev.knative-lambda.function.ready.v1"
_JOURNAL_SECONDS = 10.0
_BUILDER = "/knative-lambda/knative-lambda"
_CONTAINERS = ("build", "publish")
_numbers = itertools.count(1)


class Deployed(NamedTuple):
    """One deployment: seconds by part, and what its image sent."""

    seconds: dict[str, float]
    layers: list[dict[str, Any]]


class Deployer:
    """Deploys to one platform by events, as any client does."""

    def __init__(self, platform: Platform, timeline: Timeline) -> None:
        self._broker = platform.broker()
        self._gateway = platform.gateway()
        self._timeline = timeline
        # Opened before anything is measured.
        self._broker.request("GET", "/health")
        self._gateway.request("GET", "/health")

    def deploy(self, name: str, kind: str, version: int) -> Deployed:
        """Send a request, wait until its record is Ready, and ask the function once."""
        request_id = f"request-{next(_numbers)}"
        spec = {"runtime": RUNTIME, "source": {"inline": source(kind, version)}}
        attributes = {
            "id": request_id, "source": "/bench", "type": _BUILD_START,
            "subject": f"default/{name}", "time": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        begin = time.time()
        status, answer = self._broker.send_event(_BUILDER, spec, **attributes)
        if status != http.HTTPStatus.ACCEPTED:
            raise RuntimeError(f"the Broker answered {status}: {answer.decode()}")
        try:
            ready = self._timeline.wait_for(begin, lambda seen: _is_settled(seen, name, request_id))
        except TimeoutError as error:
            page = self._broker.json("GET", f"/-/events?limit=5&subject=default/{name}")
            raise RuntimeError(f"{name} is not settled: {page['events']}") from error
        if ready.status["phase"] != "Ready":
            raise RuntimeError(f"{name} failed: {ready.status}")
        self._call(name, kind, version)
        answered = time.time()
        changes = [seen for seen in self._timeline.since(begin) if name in seen.name]
        seconds = {RECORD_TIME: ready.at - begin, TOTAL: answered - begin}
        seconds |= _journal_seconds(self._broker, name, request_id)
        seconds |= _parts(begin, changes, ready.at, answered)
        return Deployed(seconds, _layers(changes))

    def _call(self, name: str, kind: str, version: int) -> None:
        data, attributes = event(kind)
        status, answer = self._gateway.send_event(f"/default/{name}", data, **attributes)
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"{name} answered {status}: {answer.decode()}")
        if b"version" in answer and json.loads(answer)["version"] != version:
            raise RuntimeError(f"{name} serves an older version: {answer.decode()}")


def _is_settled(seen: Seen, name: str, request_id: str) -> bool:
    if seen.kind != "LambdaFunction" or seen.name != name:
        return False
    build = seen.status.get("build") or {}
    return build.get("wishId") == request_id and seen.status.get("phase") in {"Ready", "Failed"}


def _parts(
    begin: float, changes: list[Seen], ready: float, answered: float
) -> Iterator[tuple[str, float]]:
    """Split by the moments at which the watches told us of them; empty without a Job."""
    created = next((seen.at for seen in changes if seen.kind == "Job"), None)
    if created is None:
        return iter(())
    ends = [_container_end(changes, name) for name in _CONTAINERS]
    moments = [begin, created, *ends, ready, answered]
    return zip(
        PARTS, (after - before for before, after in itertools.pairwise(moments)), strict=True
    )


def _container_end(changes: list[Seen], container: str) -> float:
    for seen in changes:
        if seen.kind == "Pod" and "terminated" in _container(seen, container).get("state", {}):
            return seen.at
    raise LookupError(f"no Pod says that {container} ended")


def _container(seen: Seen, name: str) -> dict[str, Any]:
    fields = ("initContainerStatuses", "containerStatuses")
    found = [item for field in fields for item in seen.status.get(field) or []]
    return next((item for item in found if item["name"] == name), {})


def _layers(changes: list[Seen]) -> list[dict[str, Any]]:
    """What publish says it added, from its termination message."""
    for seen in changes:
        terminated = _container(seen, "publish").get("state", {}).get("terminated")
        if seen.kind == "Pod" and terminated:
            layers: list[dict[str, Any]] = json.loads(terminated["message"])["layers"]
            return layers
    return []


def _journal_seconds(broker: Connection, name: str, request_id: str) -> Iterator[tuple[str, float]]:
    """From the acceptance of the request to that of `function.ready`, which is the reply to it."""
    deadline = time.monotonic() + _JOURNAL_SECONDS
    while time.monotonic() < deadline:
        page = broker.json("GET", f"/-/events?limit=20&subject=default/{name}")
        later = list(itertools.takewhile(lambda entry: not _is(entry, request_id), page["events"]))
        ready = [entry for entry in later if entry["attributes"]["type"] == _READY]
        if ready:
            start = page["events"][len(later)]
            yield JOURNAL_TIME, _accepted(ready[0]) - _accepted(start)
            return
        time.sleep(0.01)
    raise TimeoutError(f"the journal has no {_READY} of {name}")


def _is(entry: dict[str, Any], request_id: str) -> bool:
    return bool(entry["attributes"]["id"] == request_id)


def _accepted(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["acceptedAt"]).timestamp()


def add(tables: dict[str, Table], scenario: str, deployed: Deployed) -> None:
    """Note one deployment under its scenario."""
    table = tables.setdefault(scenario, Table())
    for part, seconds in deployed.seconds.items():
        table[part].add(seconds)
