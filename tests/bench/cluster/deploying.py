"""Deploy times on a real cluster: event sent to first answered request, with what came between."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.cluster.access import SERVICES
from tests.bench.functions import FIVE_WHEELS, RUNTIME, WITHOUT_PACKAGES, event, source
from tests.bench.samples import Table
from tests.helpers.cluster import BUILDS, CONTROL, TENANT
from tests.helpers.lambda_platform import BUILD_START, DELETE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.cluster.access import MeasuredCluster
    from tests.bench.platform_process import Connection
    from tests.bench.timeline import Seen, Timeline

NEW, NEW_FIVE = "new lambda, no packages", "new lambda, five wheels"
CODE, UNCHANGED = "code-only change, no packages", "unchanged source again"
SCENARIOS = (NEW, NEW_FIVE, CODE, UNCHANGED)
WARM, ZERO = "warm", "at zero"
STATES = (WARM, ZERO)
START_POD, COMPLETE_POD = "build-start's Pod ready", "build-complete's Pod ready"
JOB, SCHEDULED = "Job created", "its Pod scheduled"
BUILT, PUBLISHED = "build ended", "publish ended"
CREATED, POD_READY = "Service created or changed", "revision's Pod ready"
SERVICE_READY, RECORD_READY = "Service Ready", "record Ready"
TOTAL = "first answer"
MOMENTS = (
    START_POD, JOB, SCHEDULED, COMPLETE_POD, BUILT, PUBLISHED, CREATED, POD_READY, SERVICE_READY,
    RECORD_READY, TOTAL,
)  # fmt: skip
BUILDERS = ((CONTROL, "build-start"), (CONTROL, "build-complete"))
_POLL_SECONDS = 0.04
_PATIENCE_SECONDS = 120.0


class Lambda(NamedTuple):
    """What is deployed, and how the one before it is told apart."""

    name: str
    kind: str
    version: int
    image: str | None = None


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

    def deploy(self, name: str, kind: str, version: int) -> dict[str, float]:
        """Seconds from sending to each moment; returns when nothing of it is under way."""
        old = (self._cluster.api.get(f"{SERVICES}/{name}") or {}).get("spec")
        wanted = Lambda(name, kind, version, _image(old) if old else None)
        connection = self._cluster.lambda_connection(name)
        begin, request_id, sender = self._send(wanted)
        _poll(connection, wanted)
        answered = time.time()
        ready = self._await_record(begin, wanted, request_id)
        self._let_it_end(begin, name, sender)
        moments = dict(_moments(self._timeline.since(begin), wanted))
        moments |= {RECORD_READY: ready.at, TOTAL: answered}
        return {what: at - begin for what, at in moments.items()}

    def deploy_again(self, name: str, kind: str, version: int) -> dict[str, float]:
        """The same source once more: until its record says so, and the lambda has answered."""
        connection = self._cluster.lambda_connection(name)
        wanted = Lambda(name, kind, version)
        _ask(connection, wanted)  # it runs, as it did before the request
        begin, request_id, sender = self._send(wanted)
        ready = self._await_record(begin, wanted, request_id)
        if not _ask(connection, wanted):
            raise RuntimeError(f"{name} does not answer")
        answered = time.time()
        self._let_it_end(begin, name, sender)
        moments = dict(_moments(self._timeline.since(begin), wanted))
        moments = {what: at for what, at in moments.items() if what in {JOB, START_POD}}
        moments |= {RECORD_READY: ready.at, TOTAL: answered}
        return {what: at - begin for what, at in moments.items()}

    def keep_awake(self, name: str, version: int) -> None:
        """One request to a lambda without packages."""
        _ask(self._cluster.lambda_connection(name), Lambda(name, WITHOUT_PACKAGES, version))

    def remove_all(self) -> None:
        """Delete every lambda that was deployed here."""
        for name in self._names:
            now = datetime.now(UTC).isoformat()
            self._cluster.send(DELETE, f"{TENANT}/{name}", {}, time=now)
        self._names.clear()

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
        if any(_is_job(seen, name) for seen in self._timeline.since(begin)):
            self._timeline.wait_for(
                begin, lambda seen: _is_job(seen, name) and _is_true(seen, "Complete")
            )
        time.sleep(1)


def add(
    tables: dict[tuple[str, str], Table], key: tuple[str, str], found: dict[str, float]
) -> None:
    """Note one deployment."""
    table = tables.setdefault(key, Table())
    for what, seconds in found.items():
        table[what].add(seconds)


def _poll(connection: Connection, wanted: Lambda) -> None:
    """Ask gently: two cores do all the work."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _ask(connection, wanted):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{wanted.name} does not answer")
        time.sleep(_POLL_SECONDS)


def _ask(connection: Connection, wanted: Lambda) -> bool:
    """Whether the wanted version answered."""
    data, attributes = event(wanted.kind)
    status, answer = connection.send_event("/", data, **attributes)
    if status != http.HTTPStatus.OK:
        return False
    is_plain = wanted.kind != FIVE_WHEELS
    return not is_plain or json.loads(answer).get("version") == wanted.version


def _moments(changes: list[Seen], wanted: Lambda) -> Iterator[tuple[str, float]]:
    """The first change of each kind, at the time at which its watch told us."""
    new_image: list[str] = []

    def is_service(seen: Seen) -> bool:
        if seen.kind != "Service" or seen.name != wanted.name:
            return False
        image = _image(seen.object["spec"])
        if image != wanted.image:
            new_image.append(image)
        return image != wanted.image

    def is_ready_service(seen: Seen) -> bool:
        is_observed = seen.status.get("observedGeneration") == seen.object["metadata"]["generation"]
        return is_service(seen) and is_observed and _is_true(seen, "Ready")

    def is_build_pod(seen: Seen) -> bool:
        return _is_pod(seen, BUILDS) and f"-{wanted.name}-" in seen.name

    tests: dict[str, Callable[[Seen], bool]] = {
        JOB: lambda seen: _is_job(seen, wanted.name),
        SCHEDULED: lambda seen: is_build_pod(seen) and _is_true(seen, "PodScheduled"),
        BUILT: lambda seen: is_build_pod(seen) and _has_ended(seen, "build"),
        PUBLISHED: lambda seen: is_build_pod(seen) and _has_ended(seen, "publish"),
        CREATED: is_service,
        POD_READY: lambda seen: (
            _is_pod_of(seen, TENANT, wanted.name)
            and _is_true(seen, "Ready")
            and seen.object["spec"]["containers"][0]["image"] in new_image
        ),
        SERVICE_READY: is_ready_service,
        START_POD: lambda seen: _is_pod_of(seen, *BUILDERS[0]) and _has_become_ready(seen, changes),
        COMPLETE_POD: lambda seen: (
            _is_pod_of(seen, *BUILDERS[1]) and _has_become_ready(seen, changes)
        ),
    }
    for what, holds in tests.items():
        found = next((seen for seen in changes if holds(seen)), None)
        if found:
            yield what, found.at


def _image(spec: dict[str, Any]) -> str:
    image: str = spec["template"]["spec"]["containers"][0]["image"]
    return image


def _is_job(seen: Seen, name: str) -> bool:
    return seen.kind == "Job" and f"-{name}-" in seen.name


def _is_pod(seen: Seen, namespace: str) -> bool:
    return seen.kind == "Pod" and seen.object["metadata"]["namespace"] == namespace


def _is_pod_of(seen: Seen, namespace: str, service: str) -> bool:
    labels = seen.object["metadata"].get("labels") or {}
    return _is_pod(seen, namespace) and labels.get("serving.knative.dev/service") == service


def _is_true(seen: Seen, condition: str) -> bool:
    conditions = seen.status.get("conditions") or []
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _has_become_ready(seen: Seen, changes: list[Seen]) -> bool:
    """Whether a Pod that is ready now was not so before."""
    return _is_true(seen, "Ready") and any(
        before.at < seen.at
        and before.kind == "Pod"
        and before.name == seen.name
        and not _is_true(before, "Ready")
        for before in changes
    )


def _has_ended(seen: Seen, container: str) -> bool:
    fields = ("initContainerStatuses", "containerStatuses")
    found = [item for field in fields for item in seen.status.get(field) or []]
    return any(
        item["name"] == container and "terminated" in item.get("state", {}) for item in found
    )
