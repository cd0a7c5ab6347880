"""The use cases on fakes, wired as the functions wire them on real ones."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knative_lambda.adapters.source_archives import CheckedSourceArchives
from knative_lambda.domain.build import image_tag, packages_object_key
from knative_lambda.domain.build_queue import BuildLimits
from knative_lambda.domain.errors import RetryableError
from knative_lambda.domain.events import (
    BUILD_PACKAGED,
    BUILD_STARTED,
    BuildStart,
    Event,
    ObjectReference,
)
from knative_lambda.domain.language import Languages
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.packages import PackageIndexes, PackagesPolicy
from knative_lambda.use_cases.admit_builds import AdmitBuilds
from knative_lambda.use_cases.build_context import ContextPacker
from knative_lambda.use_cases.clean_up import CleanUp
from knative_lambda.use_cases.clean_up_pass import Retention
from knative_lambda.use_cases.complete_build import CompleteBuild
from knative_lambda.use_cases.delete_lambda import DeleteLambda
from knative_lambda.use_cases.notice_recovery import NoticeRecovery
from knative_lambda.use_cases.prepare_source import PrepareSource
from knative_lambda.use_cases.publish_image import PublishImage
from knative_lambda.use_cases.rejections import rejections_recorded
from knative_lambda.use_cases.start_build import StartBuild
from tests.helpers.fakes import InMemoryHostedSources, InMemoryObjectStorage
from tests.helpers.fakes_platform import (
    FixedClock,
    InMemoryBuildJobs,
    InMemoryBuildQueue,
    InMemoryEventRecorder,
    InMemoryImageRegistry,
    InMemoryLambdaFunctions,
    InMemoryLambdaServices,
)
from tests.helpers.fakes_publishing import InMemoryImagePublisher
from tests.helpers.package_archives import packages_archive

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
CODE = {"main.py": "def handler(event): ..."}
WITH_PACKAGES = CODE | {"requirements.txt": "flask\n"}
PACKAGES_MAX_BYTES = 100_000
LANGUAGES = Languages.parse(
    """[{
        "name": "python",
        "suffixes": [".py", ".js", ".mjs", ".cjs"],
        "packages": "packages",
        "defaultHandler": "main.handler",
        "requests": {"requirements.txt": "^[^#\\\\s]"},
        "includes": "^-r (?P<file>.+)"
    }]"""
)


_ROOM_FOR_ALL = BuildLimits(in_all=50, per_tenant=50)


def asking(text: str) -> dict[str, dict[str, str]]:
    """A source whose code and packages no other source has."""
    return {"inline": {"main.py": text, "requirements.txt": f"{text}\n"}}


@dataclass
class ControlPlane:
    """A world in memory; every method is one delivered event."""

    clock: FixedClock = field(default_factory=FixedClock)
    storage: InMemoryObjectStorage = field(default_factory=InMemoryObjectStorage)
    records: InMemoryLambdaFunctions = field(default_factory=InMemoryLambdaFunctions)
    services: InMemoryLambdaServices = field(default_factory=InMemoryLambdaServices)
    registry: InMemoryImageRegistry = field(default_factory=InMemoryImageRegistry)
    event_recorder: InMemoryEventRecorder = field(default_factory=InMemoryEventRecorder)
    limits: BuildLimits = _ROOM_FOR_ALL
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.storage.now = self.clock.now
        self.jobs = InMemoryBuildJobs(self.clock)
        self.queue = InMemoryBuildQueue(self.jobs)
        self.hosted = InMemoryHostedSources()
        self.images = InMemoryImagePublisher(registry=self.registry, digest=DIGEST)
        self._ids = (f"event-{number}" for number in itertools.count(1))
        parts = {"records": self.records, "jobs": self.jobs, "storage": self.storage}
        urls = {"storage_url": STORAGE, "registry_url": REGISTRY}
        registry = {"registry": self.registry}
        self.admit_builds = AdmitBuilds(
            queue=self.queue,
            jobs=self.jobs,
            records=self.records,
            storage=self.storage,
            clock=self.clock,
            storage_url=STORAGE,
            limits=self.limits,
            urls_expire_in=timedelta(minutes=10),
            packages_max_bytes=PACKAGES_MAX_BYTES,
            pause=self.pause,
        )
        self.start_build = StartBuild(
            admission=self.admit_builds,
            **parts,
            **urls,
            **registry,
            clock=self.clock,
            prepare=PrepareSource(
                packer=ContextPacker(
                    storage=self.storage,
                    hosted=self.hosted,
                    source_prefixes=("s3://sources/{namespace}/",),
                    source_suffixes=LANGUAGES.suffixes,
                    max_bytes=100_000,
                    max_files=100,
                ),
                archives=CheckedSourceArchives(max_bytes=50_000_000, max_files=100),
                languages=LANGUAGES,
                base_images={"python3.11": BASE},
                registry_url=REGISTRY,
                image_prefix=IMAGE_PREFIX,
            ),
            packages=PackagesPolicy(
                platform="linux-x86_64",
                indexes=PackageIndexes(),
                policy="",
                max_age=timedelta(days=7),
                max_bytes=PACKAGES_MAX_BYTES,
            ),
            builder_version="1",
            job_urls_expire_in=timedelta(minutes=10),
        )
        self.publish_image = PublishImage(
            **urls,
            **registry,
            records=self.records,
            images=self.images,
            storage=self.storage,
            languages=LANGUAGES,
            base_images={"python3.11": BASE},
            source_max_bytes=200_000,
            packages_max_bytes=PACKAGES_MAX_BYTES,
        )
        self.complete_build = CompleteBuild(
            **parts,
            **urls,
            **registry,
            services=self.services,
            clock=self.clock,
            image_prefix=IMAGE_PREFIX,
            ready_timeout=timedelta(0),
            packages_max_bytes=PACKAGES_MAX_BYTES,
            watches_size=False,
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
            base_images={"python3.11": BASE},
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
        """Deliver build.start; by default of a small inline source that asks for packages."""
        source = {"inline": WITH_PACKAGES}
        data = BuildStart.model_validate({"source": source, "runtime": "python3.11"} | spec)
        event = event or self.event()
        with rejections_recorded(self.event_recorder, function, event):
            return self.start_build(event, function, data)

    def start_or_later(self, **spec: Any) -> Reply | None:
        """Deliver build.start; None where the Broker has to come again."""
        try:
            return self.start(**spec)
        except RetryableError:
            return None

    def job_changed(self, job: str, event: Event | None = None) -> Reply | None:
        """Deliver what the ApiServerSource says of a Job."""
        reference = ObjectReference(kind="Job", namespace="builds", name=job)
        return self.complete_build.job_changed(event or self.event(), reference)

    def finish(self, job: str, digest: str = DIGEST) -> None:
        """Let the Job of an older version push its image and end."""
        self.push(self.jobs.jobs[job], digest)
        self.jobs.succeed(job, digest)

    def push(self, job: BuildJob, digest: str) -> None:
        """Let the Job of an older version push its image, and not end yet."""
        self.registry.push(f"{REGISTRY}/{job.function}", image_tag(job.build_id), digest)

    def leave(self, job: str, content: bytes | None = None, *, pinned: bool = False) -> None:
        """Let a Job leave in storage what it installed, and end."""
        build = self.jobs.jobs[job]
        key = packages_object_key(build.function, build.build_id)
        installed = content or packages_archive({"of.py": job})
        self.storage.write(STORAGE + key, io.BytesIO(installed))
        self.jobs.succeed(job, pinned=pinned)

    def publish(self, packaged: Reply) -> Reply | None:
        """Deliver build.packaged."""
        return self.publish_image(packaged.function, packaged.data)

    def complete(self, complete: Reply, event: Event | None = None) -> Reply | None:
        """Deliver build.complete."""
        return self.complete_build.image_found(
            event or self.event(), complete.function, complete.data
        )

    def deploy(self, **spec: Any) -> Reply | None:
        """The whole way to Ready, by whatever lane."""
        return self.go_on(self.start(**spec))

    def go_on(self, reply: Reply) -> Reply | None:
        """The rest of the way."""
        if reply.type == BUILD_STARTED:
            if self.jobs.jobs[reply.data.job].finished_at is None:
                self.leave(reply.data.job)
            reply = self.job_changed(reply.data.job)
        if reply.type == BUILD_PACKAGED:
            reply = self.publish(reply)
        return self.complete(reply)

    def change_policy(self, **policy: Any) -> None:
        """Let an operator change what may be installed."""
        packages = replace(self.start_build.packages, **policy)
        self.start_build = replace(self.start_build, packages=packages)

    def prepares(self, **parts: Any) -> None:
        """Let build-start read sources in another way."""
        prepare = replace(self.start_build.prepare, **parts)
        self.start_build = replace(self.start_build, prepare=prepare)

    def ask_for_everything(self) -> None:
        """Let the language be one whose recipe reads all of a source."""
        (language,) = LANGUAGES.known
        languages = Languages((replace(language, requests={}),))
        self.prepares(languages=languages)

    def put_source(self, uri: str, content: bytes) -> None:
        """Store an object that a source URI can name."""
        self.storage.write(uri, io.BytesIO(content))

    @property
    def record(self) -> Any:
        """The record of HELLO as it is now."""
        return self.records.get(HELLO)
