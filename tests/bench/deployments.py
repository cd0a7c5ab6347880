"""Deploy times on the embedded platform: event accepted to first answered request, in parts."""

from __future__ import annotations

import http.client
import itertools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.builds import (
    BUILD_COMPLETE,
    BUILD_START_SOURCE,
    BUILT,
    FUNCTION_READY,
    IN_REGISTRY,
    JOB,
    PACKAGED,
    build_moments,
    event_seen,
)
from tests.bench.functions import RUNTIME, event, source, version_of
from tests.bench.registry_storage import pushed_to_layout
from tests.helpers.lambda_platform import BUILD_START

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.bench.platform_process import Connection, Platform
    from tests.bench.timeline import Seen, Timeline

TOTAL = "accepted -> first answer"
PARTS = (
    "accepted -> Job created, or source read",
    "packages installed (build)",
    "image in the registry (publish)",
    "record Ready",
    "first answer",
)
"""Each from the one before that a deployment has: without a Job nothing is installed."""
RECORD_TIME = "accepted -> record Ready"
JOURNAL_TIME = "build.start -> function.ready in the Broker's journal"
_JOURNAL_SECONDS = 10.0
_BUILDER = "/knative-lambda/knative-lambda"
_numbers = itertools.count(1)


class Deployed(NamedTuple):
    """One deployment: seconds by part, whether a Job ran, and bytes that came to the registry."""

    seconds: dict[str, float]
    has_job: bool
    pushed: int


class Deployer:
    """Deploys to one platform by events, as any client does."""

    def __init__(self, platform: Platform, timeline: Timeline) -> None:
        self._broker = platform.broker()
        self._gateway = platform.gateway()
        self._timeline = timeline
        self._registry = platform.home / "registry"
        # Opened before anything is measured.
        self._broker.request("GET", "/health")
        self._gateway.request("GET", "/health")

    def deploy(self, name: str, kind: str, version: int) -> Deployed:
        """Send a request, wait until its record is Ready, and ask the function once."""
        request_id = f"request-{next(_numbers)}"
        spec = {"runtime": RUNTIME, "source": {"inline": source(kind, version)}}
        attributes = {
            "id": request_id, "source": "/bench", "type": BUILD_START,
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
        events = _events(self._broker, name, request_id)
        accepted, *changes = [event_seen(_accepted(each), each["attributes"]) for each in events]
        moments = build_moments([*changes, *self._timeline.since(begin)], name, begin)
        seconds = {RECORD_TIME: ready.at - begin, TOTAL: answered - begin}
        seconds[JOURNAL_TIME] = changes[-1].at - accepted.at
        is_found = is_image_found([each["attributes"] for each in events])
        seconds |= parts(begin, moments, ready.at, answered, is_found=is_found)
        pushed = pushed_to_layout(self._registry / "default" / name, begin)
        return Deployed(seconds, JOB in moments, pushed.new)

    def _call(self, name: str, kind: str, version: int) -> None:
        data, attributes = event(kind)
        status, answer = self._gateway.send_event(f"/default/{name}", data, **attributes)
        if status != http.HTTPStatus.OK:
            raise RuntimeError(f"{name} answered {status}: {answer.decode()}")
        if version_of(answer) != version:
            raise RuntimeError(f"{name} serves another version: {answer.decode()}")


def _is_settled(seen: Seen, name: str, request_id: str) -> bool:
    if seen.kind != "LambdaFunction" or seen.name != name:
        return False
    build = seen.status.get("build") or {}
    return build.get("wishId") == request_id and seen.status.get("phase") in {"Ready", "Failed"}


def parts(
    begin: float, moments: Mapping[str, float], ready: float, answered: float, *, is_found: bool
) -> dict[str, float]:
    """Seconds by part, from moments that were seen; `is_found` where nothing was published."""
    read = moments.get(JOB) or moments.get(PACKAGED)
    steps = {
        PARTS[0]: moments.get(IN_REGISTRY) if is_found else read,
        PARTS[1]: moments.get(BUILT),
        PARTS[2]: None if is_found else moments.get(IN_REGISTRY),
        PARTS[3]: ready,
        PARTS[4]: answered,
    }
    seen = {part: at for part, at in steps.items() if at is not None}
    pairs = itertools.pairwise([begin, *seen.values()])
    return {part: after - before for part, (before, after) in zip(seen, pairs, strict=True)}


def is_image_found(events: Iterable[Mapping[str, str]]) -> bool:
    """Whether build-start itself says that the image is there: nobody publishes it."""
    return any(
        each["type"] == BUILD_COMPLETE and each["source"] == BUILD_START_SOURCE for each in events
    )


def _events(broker: Connection, name: str, request_id: str) -> list[dict[str, Any]]:
    """From the request to `function.ready`, in order; waits for the latter."""
    deadline = time.monotonic() + _JOURNAL_SECONDS
    while time.monotonic() < deadline:
        page = broker.json("GET", f"/-/events?limit=20&subject=default/{name}")
        entries = page["events"][::-1]
        ids, types = ([each["attributes"][key] for each in entries] for key in ("id", "type"))
        found = entries[ids.index(request_id) :]
        if FUNCTION_READY in types[-len(found) :]:
            return found[: types[-len(found) :].index(FUNCTION_READY) + 1]
        time.sleep(0.01)
    raise TimeoutError(f"the journal has no {FUNCTION_READY} of {name}")


def _accepted(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["acceptedAt"]).timestamp()
