"""In-memory records, Jobs, Services and images; tests/contract proves them."""

from __future__ import annotations

import functools
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from knative_lambda.domain.build import BuildAccess, BuildJob, JobState, PendingBuild
from knative_lambda.domain.build_queue import QueuedBuild
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import ConflictError, NotReadyError, UnreadableRecordError
from knative_lambda.domain.lambda_function import (
    LambdaFunction,
    LambdaFunctionStatus,
    RequestStamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.build import BuildFailure, BuildOrder
    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.errors import KnativeLambdaError
    from knative_lambda.domain.events import Event
    from knative_lambda.domain.lambda_function import LambdaFunctionSpec
    from knative_lambda.domain.names import FunctionId


def _in_one_step(method):
    @functools.wraps(method)
    def locked(self, *arguments, **named):
        with self.lock:
            return method(self, *arguments, **named)

    return locked


READY = ServiceState(ready=True, url="http://lambda", revision="r-00001")


@dataclass
class FixedClock:
    """A clock that a test moves."""

    time: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


@dataclass
class InMemoryLambdaFunctions:
    """`LambdaFunctions` in a dictionary; comparing and writing are one step, as in etcd."""

    records: dict[FunctionId, LambdaFunction] = field(default_factory=dict)
    version: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    unreadable: set[FunctionId] = field(default_factory=set)
    refused: dict[FunctionId, datetime] = field(default_factory=dict)
    reminded: dict[FunctionId, datetime] = field(default_factory=dict)

    def get(self, function: FunctionId) -> LambdaFunction | None:
        if function in self.unreadable:
            raise UnreadableRecordError(f"the LambdaFunction {function} cannot be read")
        return self.records.get(function)

    @_in_one_step
    def create(self, record: LambdaFunction) -> LambdaFunction:
        if record.id in self.records or record.id in self.unreadable:
            raise ConflictError(f"{record.id} exists")
        return self._store(_by_event(record), uid=str(uuid.uuid4()), generation=1)

    @_in_one_step
    def replace_request(self, record: LambdaFunction) -> LambdaFunction:
        old = self._at_same_version(record)
        generation = old.generation + (old.spec != record.spec)
        kept = record.model_copy(update={"status": old.status})
        return self._store(_by_event(kept), uid=old.uid, generation=generation)

    @_in_one_step
    def apply(
        self, function: FunctionId, spec: LambdaFunctionSpec, now: datetime, *, redeploy: str = ""
    ) -> LambdaFunction:
        """Write a spec as a person does with kubectl."""
        old = self.records.get(function)
        if old is None:
            uid, generation, event_stamp = str(uuid.uuid4()), 1, None
            status = LambdaFunctionStatus()
        else:
            uid, event_stamp, status = old.uid, old.event_stamp, old.status
            generation = old.generation + (old.spec != spec)
        id_ = f"{uid}/{generation:06}/{redeploy}"
        if old is not None and old.stamp.event_id == id_:
            return old
        stamp = RequestStamp(time=now, event_id=id_)
        record = LambdaFunction(
            id=function, spec=spec, status=status, stamp=stamp, event_stamp=event_stamp
        )
        return self._store(record, uid=uid, generation=generation)

    def refuse(self, function: FunctionId, now: datetime) -> None:
        if function in self.unreadable:
            self.refused[function] = now

    def remind(self, function: FunctionId, now: datetime) -> None:
        if function in self.records:
            self.reminded[function] = now

    @_in_one_step
    def replace_status(self, record: LambdaFunction) -> LambdaFunction:
        old = self._at_same_version(record)
        return self._store(
            old.model_copy(update={"status": record.status}), uid=old.uid, generation=old.generation
        )

    @_in_one_step
    def delete(self, record: LambdaFunction) -> None:
        old = self.records.get(record.id)
        if old is not None and old.uid == record.uid:
            del self.records[record.id]

    def discard(self, function: FunctionId) -> None:
        self.unreadable.discard(function)

    def list(self) -> Iterator[LambdaFunction]:
        yield from list(self.records.values())

    def _at_same_version(self, record: LambdaFunction) -> LambdaFunction:
        old = self.records.get(record.id)
        if old is None or old.resource_version != record.resource_version:
            raise ConflictError(f"{record.id} was changed")
        return old

    def _store(self, record: LambdaFunction, *, uid: str, generation: int) -> LambdaFunction:
        self.version += 1
        stored = record.model_copy(
            update={"uid": uid, "generation": generation, "resource_version": str(self.version)}
        )
        self.records[record.id] = stored
        return stored


def _by_event(record: LambdaFunction) -> LambdaFunction:
    return record.model_copy(update={"event_stamp": record.stamp, "refresh": False})


@dataclass
class InMemoryBuildJobs:
    """`BuildJobs` whose Jobs end when a test says so."""

    clock: FixedClock
    jobs: dict[str, BuildJob] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    started: list[BuildOrder] = field(default_factory=list)
    notified: list[str] = field(default_factory=list)
    pods: dict[str, PendingBuild | None] = field(default_factory=dict)
    """The Pods of Jobs; None for one of which a container runs."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    closed: set[str] = field(default_factory=set)

    @_in_one_step
    def start(self, order: BuildOrder, *, waits: bool = False) -> BuildJob:
        job = self.jobs.get(order.name)
        if job is not None and not job.has_ended:
            self.jobs[order.name] = replace(job, request_id=order.request_id)
        if job is None:
            self.started.append(order)
            self.jobs[order.name] = BuildJob(
                name=order.name,
                function=order.function,
                build_id=order.build_id,
                request_id=order.request_id,
                state=JobState.WAITING if waits else JobState.RUNNING,
                created_at=self.clock.now(),
            )
        return self.jobs[order.name]

    def get(self, name: str) -> BuildJob | None:
        return self.jobs.get(name)

    def close(self, name: str) -> None:
        job = self.jobs.get(name)
        if job is not None and job.finished_at is not None:
            self.closed.add(name)

    def pending(self, name: str) -> PendingBuild | None:
        job = self.jobs.get(name)
        if job is None or job.finished_at is not None or job.state is JobState.WAITING:
            return None
        return self.pods.get(name, PendingBuild(has_pod=False, since=job.created_at))

    def log_tail(self, name: str, *, max_bytes: int) -> str:
        return self.logs.get(name, "").encode()[-max_bytes:].decode(errors="ignore")

    def delete(self, name: str) -> None:
        self.jobs.pop(name, None)
        self.pods.pop(name, None)
        self.logs.pop(name, None)

    def notify(self, name: str) -> None:
        if name in self.jobs:
            self.notified.append(name)

    def list(self, function: FunctionId | None = None) -> Iterator[BuildJob]:
        for job in list(self.jobs.values()):
            if function is None or job.function == function:
                yield job

    def succeed(self, name: str, digest: str | None = None, *, pinned: bool = False) -> None:
        """End well; one of an older version says which image it pushed."""
        self._end(name, state=JobState.SUCCEEDED, digest=digest, pinned=pinned)

    def fail(self, name: str, failure: BuildFailure, log: str = "") -> None:
        self.logs[name] = log
        self._end(name, state=JobState.FAILED, failure=failure)

    def fail_for_good(self, name: str, failure: BuildFailure) -> None:
        """Let an attempt end in a way that no other one can better; the Job goes on."""
        self.jobs[name] = replace(self.jobs[name], state=JobState.FAILED, failure=failure)

    def wait(self, name: str, obstacle: BuildFailure | None, *, is_lasting: bool = False) -> None:
        """Make the Job's Pod, and let something keep it from starting."""
        self.pods[name] = PendingBuild(
            has_pod=True, since=self.clock.now(), obstacle=obstacle, is_lasting=is_lasting
        )

    def run(self, name: str) -> None:
        """Let a container of the Job run."""
        self.pods[name] = None

    def _end(self, name: str, **changes: object) -> None:
        self.jobs[name] = replace(self.jobs[name], finished_at=self.clock.now(), **changes)


@dataclass
class InMemoryBuildQueue:
    """`BuildQueue` over Jobs in memory; `opened` has what each was released with."""

    jobs: InMemoryBuildJobs
    opened: dict[str, BuildAccess] = field(default_factory=dict)

    def builds(self, *, exact: bool = True) -> list[QueuedBuild]:  # it always is
        return [self._queued(job) for job in self.jobs.list() if not job.has_ended]

    def release(self, build: QueuedBuild, access: BuildAccess) -> bool:
        with self.jobs.lock:
            if not self._is_unchanged(build):
                return False
            self.opened[build.name] = access
            job = self.jobs.jobs[build.name]
            self.jobs.jobs[build.name] = replace(job, state=JobState.RUNNING)
            return True

    def withdraw(self, build: QueuedBuild) -> bool:
        with self.jobs.lock:
            if not self._is_unchanged(build):
                return False
            self.jobs.delete(build.name)
            return True

    def _is_unchanged(self, build: QueuedBuild) -> bool:
        job = self.jobs.get(build.name)
        return job is not None and not job.has_ended and self._queued(job) == build

    def _queued(self, job: BuildJob) -> QueuedBuild:
        return QueuedBuild(
            name=job.name,
            uid=f"{job.name} at {job.created_at}",
            version=f"{job.state} for {job.request_id}",
            function=job.function,
            build_id=job.build_id,
            request_id=job.request_id,
            created_at=job.created_at,
            waits=job.state is JobState.WAITING,
        )


@dataclass
class InMemoryLambdaServices:
    """`LambdaServices` that become ready at once, unless a test says otherwise."""

    deployments: dict[FunctionId, Deployment] = field(default_factory=dict)
    watched: set[FunctionId] = field(default_factory=set)
    outcome: ServiceState = READY
    other_images: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @_in_one_step
    def apply(self, deployment: Deployment) -> bool:
        old = self.deployments.get(deployment.function)
        if old is not None and old.uid != deployment.uid:
            raise NotReadyError("an earlier lambda is being removed")
        if old is not None and old.generation > deployment.generation:
            return False
        self.deployments[deployment.function] = deployment
        self.watched.discard(deployment.function)
        return True

    @_in_one_step
    def watch(self, deployment: Deployment) -> None:
        if deployment.function in self.deployments and self.apply(deployment):
            self.watched.add(deployment.function)

    def state(self, deployment: Deployment) -> ServiceState:
        applied = self.deployments.get(deployment.function)
        if applied is None:
            raise NotReadyError("the Service is gone")
        is_made = applied.uid == deployment.uid and applied.generation >= deployment.generation
        return self.outcome if is_made else ServiceState(ready=False)

    def delete(self, function: FunctionId) -> None:
        self.deployments.pop(function, None)
        self.watched.discard(function)

    def images_in_use(self) -> Iterator[str]:
        yield from [deployment.image for deployment in self.deployments.values()]
        yield from self.other_images


@dataclass
class InMemoryEventRecorder:
    """`EventRecorder` in a dictionary of function and event to what was said of them first."""

    told: dict[tuple[FunctionId, str, str], KnativeLambdaError] = field(default_factory=dict)

    def record_rejection(
        self, function: FunctionId, event: Event, error: KnativeLambdaError
    ) -> None:
        self.told.setdefault((function, event.source, event.id), error)


@dataclass
class InMemoryImageRegistry:
    """`ImageRegistry` in a dictionary of repository to tag to digest."""

    images: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, repository_url: str, tag: str) -> str | None:
        return self.images.get(repository_url, {}).get(tag)

    def list_tags(self, repository_url: str) -> list[str]:
        return sorted(self.images.get(repository_url, {}))

    def delete(self, repository_url: str, digest: str) -> None:
        tags = self.images.get(repository_url, {})
        for tag in [tag for tag, known in tags.items() if known == digest]:
            del tags[tag]

    def push(self, repository_url: str, tag: str, digest: str) -> None:
        self.images.setdefault(repository_url, {})[tag] = digest
