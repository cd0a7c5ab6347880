"""The four use cases on fakes, wired as the functions wire them on real ones."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.build import image_tag
from knative_lambda.domain.events import BuildStart, Event, ObjectReference
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.build_context import ContextPacker
from knative_lambda.use_cases.clean_up import CleanUp, Retention
from knative_lambda.use_cases.complete_build import CompleteBuild
from knative_lambda.use_cases.delete_lambda import DeleteLambda
from knative_lambda.use_cases.notice_recovery import NoticeRecovery
from knative_lambda.use_cases.rejections import rejections_recorded
from knative_lambda.use_cases.start_build import StartBuild
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.fakes_platform import (
    FixedClock,
    InMemoryBuildJobs,
    InMemoryEventRecorder,
    InMemoryImageRegistry,
    InMemoryLambdaFunctions,
    InMemoryLambdaServices,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.events import Reply

STORAGE = "s3://own/"
REGISTRY = "http://registry/lambdas"
IMAGE_PREFIX = "registry/lambdas"
BASE = "http://registry/base/python3.11@sha256:" + "b" * 64
HELLO = FunctionId("default", "hello")
DIGEST = "sha256:" + "d" * 64


@dataclass
class ControlPlane:
    """A world in memory; every method is one delivered event."""

    clock: FixedClock = field(default_factory=FixedClock)
    storage: InMemoryObjectStorage = field(default_factory=InMemoryObjectStorage)
    records: InMemoryLambdaFunctions = field(default_factory=InMemoryLambdaFunctions)
    services: InMemoryLambdaServices = field(default_factory=InMemoryLambdaServices)
    registry: InMemoryImageRegistry = field(default_factory=InMemoryImageRegistry)
    event_recorder: InMemoryEventRecorder = field(default_factory=InMemoryEventRecorder)
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.storage.now = self.clock.now
        self.jobs = InMemoryBuildJobs(self.clock)
        self._ids = (f"event-{number}" for number in itertools.count(1))
        parts = {"records": self.records, "jobs": self.jobs, "storage": self.storage}
        urls = {"storage_url": STORAGE, "registry_url": REGISTRY}
        registry = {"registry": self.registry}
        self.start_build = StartBuild(
            **parts,
            **urls,
            **registry,
            clock=self.clock,
            packer=ContextPacker(
                storage=self.storage,
                source_prefixes=("s3://sources/{namespace}/",),
                source_suffixes=(".py", ".js", ".mjs", ".cjs"),
                max_bytes=100_000,
                max_files=100,
            ),
            base_images={"python3.11": BASE},
            builder_version="1",
            image_prefix=IMAGE_PREFIX,
            download_expires_in=timedelta(minutes=10),
        )
        self.complete_build = CompleteBuild(
            **parts,
            **urls,
            **registry,
            services=self.services,
            clock=self.clock,
            image_prefix=IMAGE_PREFIX,
            ready_timeout=timedelta(0),
            follow_timeout=timedelta(seconds=30),
            start_timeout=timedelta(seconds=90),
            pause=self.pause,
        )
        self.notice_recovery = NoticeRecovery(
            records=self.records,
            services=self.services,
            storage=self.storage,
            clock=self.clock,
            storage_url=STORAGE,
            image_prefix=IMAGE_PREFIX,
        )
        self.delete_lambda = DeleteLambda(
            **parts, **urls, **registry, services=self.services, clock=self.clock
        )
        self.clean_up = CleanUp(
            **parts,
            **urls,
            **registry,
            services=self.services,
            clock=self.clock,
            retention=Retention(
                jobs=timedelta(hours=1),
                builds=timedelta(hours=24),
                tombstones=timedelta(hours=24),
                dead_letters=timedelta(days=14),
                untold_after=timedelta(minutes=1),
                stuck_after=timedelta(minutes=10),
            ),
            pass_timeout=timedelta(seconds=100),
        )

    def pause(self, seconds: float) -> None:
        """Somebody waits; `meanwhile` is what happens then."""
        self.clock.advance(timedelta(seconds=seconds))
        self.meanwhile()

    def event(self, type_: str = "t", **attributes: Any) -> Event:
        """A new event; the clock moves on with each, so that later means newer."""
        self.clock.advance(timedelta(seconds=1))
        defaults = {"id": next(self._ids), "source": "/test", "time": self.clock.now()}
        return Event(**(defaults | {"type": type_} | attributes))

    def start(
        self, event: Event | None = None, *, function: FunctionId = HELLO, **spec: Any
    ) -> Reply:
        """Deliver build.start; by default of a small inline source."""
        source = {"inline": {"main.py": "def handler(event): ..."}}
        data = BuildStart.model_validate({"source": source, "runtime": "python3.11"} | spec)
        event = event or self.event()
        with rejections_recorded(self.event_recorder, function, event):
            return self.start_build(event, function, data)

    def job_changed(self, job: str, event: Event | None = None) -> Reply | None:
        """Deliver what the ApiServerSource says of a Job."""
        reference = ObjectReference(kind="Job", namespace="builds", name=job)
        return self.complete_build.job_changed(event or self.event(), reference)

    def finish(self, job: str, digest: str = DIGEST) -> None:
        """Let a build push its image and end."""
        self.push(self.jobs.jobs[job], digest)
        self.jobs.succeed(job, digest)

    def push(self, job: BuildJob, digest: str) -> None:
        """Let a build push its image, and not end yet."""
        self.registry.push(f"{REGISTRY}/{job.function}", image_tag(job.build_id), digest)

    def deploy(self, **spec: Any) -> Reply | None:
        """The whole way to Ready."""
        reply = self.start(**spec)
        self.finish(reply.data.job)
        return self.job_changed(reply.data.job)

    def put_source(self, uri: str, content: bytes) -> None:
        """Store an object that a source URI can name."""
        self.storage.write(uri, io.BytesIO(content))

    @property
    def record(self) -> Any:
        """The record of HELLO as it is now."""
        return self.records.get(HELLO)
