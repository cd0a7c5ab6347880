"""A control plane whose steps are real, and whose Kubernetes is a test's hands.

build-start and publish are the use cases on real storage and a real registry with a password; the
Job is the program of its own manifest, with the variables of its own Secret.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import tarfile
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import yaml

from knative_lambda.adapters.image_publisher import OciImagePublisher
from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.adapters.source_archives import CheckedSourceArchives
from knative_lambda.adapters.storage import open_storage
from knative_lambda.domain.build import packages_object_key
from knative_lambda.domain.build_queue import BuildLimits
from knative_lambda.domain.events import BuildPackaged, BuildStart, Event
from knative_lambda.domain.language import Languages
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.packages import PackageIndex, PackageIndexes, PackagesPolicy
from knative_lambda.manifests.build_job import BuildJobOptions, build_job, index_credentials
from knative_lambda.manifests.build_secret import build_secret
from knative_lambda.use_cases.admit_builds import AdmitBuilds
from knative_lambda.use_cases.build_context import ContextPacker
from knative_lambda.use_cases.prepare_source import PrepareSource
from knative_lambda.use_cases.publish_image import PublishImage
from knative_lambda.use_cases.start_build import StartBuild
from lambda_builder.base_image import build_base_image
from lambda_oci.descriptors import Manifest
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository
from tests.attacks.helpers.programs import Watched, run_job
from tests.helpers.canaries import Canaries, files_below
from tests.helpers.fakes import InMemoryHostedSources
from tests.helpers.fakes_platform import (
    FixedClock,
    InMemoryBuildJobs,
    InMemoryBuildQueue,
    InMemoryLambdaFunctions,
)
from tests.helpers.lambda_platform import PYTHON
from tests.helpers.registries import PASSWORD
from tests.helpers.s3_servers import make_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.adapters.storage import S3Connection
    from knative_lambda.domain.build import BuildOrder
    from knative_lambda.domain.events import BuildComplete, Reply
    from tests.helpers.registries import Registry

CHECKOUT = Path(__file__).parents[3]
RUNTIMES = CHECKOUT / "runtimes"
NODE = "nodejs20"
PACKAGES_MAX_BYTES = 20_000_000
_BUILD_SECONDS = 100


@dataclass(frozen=True)
class Servers:
    """What all worlds of a session share; none of them knows another's secrets."""

    s3: S3Connection
    registry: Registry
    bases: dict[str, str]


def with_password() -> tuple[dict[str, str], str, str]:
    """Options of builds for an index with a password, and whom it lets in."""
    name, password = "reader", f"index-{uuid.uuid4().hex}"
    credentials = json.dumps({"username": name, "password": password})
    return {"package_index_credentials": credentials}, name, password


def base_images(folder: Path) -> dict[str, str]:
    return {name: build_base_image(name, RUNTIMES, f"file://{folder}/{name}") for name in _RUNTIMES}


_RUNTIMES = (PYTHON, NODE)


def _languages() -> Languages:
    """Return what a cluster is told of the shipped languages."""
    document = yaml.safe_load((CHECKOUT / "config/base/settings.yaml").read_text())
    return Languages.parse(document["data"]["KN_LAMBDA_LANGUAGES"])


@dataclass
class World:
    """One installation with one lambda, and all the secrets of it that nobody may find."""

    folder: Path
    servers: Servers
    options: dict[str, Any] = field(default_factory=dict)
    """Of `BuildJobOptions`, beside address and credentials of the package index."""
    function: FunctionId = field(default_factory=lambda: FunctionId("tenant", _unique()))
    canaries: Canaries = field(default_factory=Canaries)
    told: list[str] = field(default_factory=list)
    """All that was said to anybody: events, records, manifests, logs, messages."""

    def __post_init__(self) -> None:
        """Plant secrets, and wire the use cases as their functions do."""
        self.canaries.add("password of the registry", PASSWORD)
        key = self.canaries.add("key of the storage", f"key-{uuid.uuid4().hex}")
        self.bucket = make_bucket(self.servers.s3)
        s3 = replace(self.servers.s3, secret_key=key)
        self.storage = open_storage(s3=s3)
        self.root = f"s3://{self.bucket}/own/"
        clock, self.records = FixedClock(), InMemoryLambdaFunctions()
        self.storage_client = s3.client()
        self.clock = clock
        self.jobs = InMemoryBuildJobs(clock)
        self.docker_config = self.servers.registry.docker_config(self.folder / "docker")
        self.registry = SchemeImageRegistry(docker_config=self.docker_config)
        self.registry_url = f"{self.servers.registry.url}/lambdas"
        languages = _languages()
        urls = {"storage_url": self.root, "registry_url": self.registry_url}
        common = {"records": self.records, "storage": self.storage}
        self.build_start = StartBuild(
            **urls,
            **common,
            jobs=self.jobs,
            registry=self.registry,
            clock=clock,
            builder_version="1",
            job_urls_expire_in=timedelta(minutes=10),
            packages=PackagesPolicy(
                platform="linux-x86_64",
                indexes=self.indexes,
                policy="",
                max_age=timedelta(days=7),
                max_bytes=PACKAGES_MAX_BYTES,
            ),
            prepare=PrepareSource(
                packer=ContextPacker(
                    storage=self.storage,
                    hosted=InMemoryHostedSources(),
                    source_prefixes=(f"s3://{self.bucket}/sources/{{namespace}}/",),
                    source_suffixes=languages.suffixes,
                    max_bytes=10**7,
                    max_files=1000,
                ),
                archives=CheckedSourceArchives(max_bytes=10**7, max_files=1000),
                languages=languages,
                base_images=self.servers.bases,
                registry_url=self.registry_url,
                image_prefix=f"{self.servers.registry.host}/lambdas",
            ),
            admission=AdmitBuilds(
                **common,
                queue=InMemoryBuildQueue(self.jobs),
                jobs=self.jobs,
                clock=clock,
                storage_url=self.root,
                limits=BuildLimits(in_all=50, per_tenant=50),
                urls_expire_in=timedelta(minutes=10),
                packages_max_bytes=PACKAGES_MAX_BYTES,
            ),
        )
        self.publish_image = PublishImage(
            **urls,
            **common,
            registry=self.registry,
            languages=languages,
            base_images=self.servers.bases,
            source_max_bytes=2 * 10**7,
            packages_max_bytes=PACKAGES_MAX_BYTES,
            images=OciImagePublisher(
                docker_config=self.docker_config,
                source_max_bytes=10**7,
                source_max_files=1000,
                packages_max_bytes=PACKAGES_MAX_BYTES,
            ),
        )

    def close(self) -> None:
        self.storage_client.close()

    def become(self) -> World:
        """Go on with another lambda of the same tenant."""
        self.function = FunctionId(self.function.namespace, _unique())
        return self

    # --- the steps -------------------------------------------------------------------------------

    def start(
        self, files: dict[str, str] | None = None, *, runtime: str = PYTHON, **spec: Any
    ) -> Reply:
        """Deliver build.start; its reply."""
        spec = {"source": {"inline": files}, "runtime": runtime} | spec
        data = BuildStart.model_validate(spec)
        self.clock.advance(timedelta(seconds=1))
        event = Event(id=uuid.uuid4().hex, source="/t", type="t", time=self.clock.now())
        reply = self.build_start(event, self.function, data)
        self._hear(reply)
        return reply

    @property
    def indexes(self) -> PackageIndexes:
        """One for all languages."""
        return PackageIndexes(
            common=PackageIndex(
                url=self.options.get("package_index_url"),
                credentials=self.options.get("package_index_credentials"),
            )
        )

    @property
    def order(self) -> BuildOrder:
        """What the newest Job was asked to do."""
        return self.jobs.started[-1]

    def run_job(self) -> Watched:
        """Run the container of the newest Job as its manifest and Secret say."""
        job, secret = self.manifests()
        self.told.append(json.dumps(job))
        container = job["spec"]["template"]["spec"]["containers"][0]
        variables = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        ended = run_job(self.folder, container["command"], variables, secret["stringData"])
        self.told += [ended.output, ended.errors, json.dumps(ended.message), *ended.seen]
        return ended

    def manifests(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the newest Job and its Secret, with the secrets of both planted."""
        order = self.order
        options = BuildJobOptions(
            namespace="builds",
            build_job_image="builder",
            runtimes_dir=str(RUNTIMES),
            timeout=timedelta(seconds=_BUILD_SECONDS),
            context_max_bytes=10**7,
            unpacked_max_bytes=10**7,
            max_files=1000,
            packages_max_bytes=PACKAGES_MAX_BYTES,
            indexes=self.indexes,
            **{name: value for name, value in self.options.items() if "index" not in name},
        )
        job = build_job(order, options)
        secret = build_secret(
            order,
            namespace=options.namespace,
            index_credentials=index_credentials(job, options),
            job_uid="1",
        )
        self._plant_urls(order)
        return job, secret

    def _plant_urls(self, order: BuildOrder) -> None:
        for name, url in (("context", order.context_url), ("result", order.upload.url)):
            for key, (value, *_) in parse_qs(urlsplit(url).query).items():
                if "ignature" in key:
                    self.canaries.add(f"URL of the {name}", value)
        for key, value in (order.upload.fields or {}).items():
            if "ignature" in key or key == "policy":
                self.canaries.add(f"form of the result: {key}", value)

    def files_of_context(self) -> set[str]:
        """The names of all that the newest Job gets."""
        (content,) = (self.objects()[key] for key in self.keys(f"own/contexts/{self.function}/"))
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            return {member.name for member in tar if member.isreg()}

    def leave(self, content: bytes) -> None:
        """Leave this object in the place of a Job's packages, as whoever has its URL can."""
        key = packages_object_key(self.function, self.order.build_id)
        self.storage_client.put_object(Bucket=self.bucket, Key=f"own/{key}", Body=content)

    def publish(self, build_id: str | None = None) -> BuildComplete | None:
        """Deliver build.packaged; the data of the reply."""
        with self._logged():
            wanted = build_id or self.order.build_id
            reply = self.publish_image(self.function, BuildPackaged(build_id=wanted))
        self._hear(reply)
        return None if reply is None else reply.data

    # --- what there is afterwards ----------------------------------------------------------------

    @property
    def repository_url(self) -> str:
        return f"{self.registry_url}/{self.function}"

    def tags(self) -> list[str]:
        return self.registry.list_tags(self.repository_url)

    def objects(self) -> dict[str, bytes]:
        """All objects of storage, whosever they are."""
        get = self.storage_client.get_object
        return {key: get(Bucket=self.bucket, Key=key)["Body"].read() for key in self.keys()}

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.storage_client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def layers(self, digest: str) -> list[bytes]:
        """The layers of an image, as they are."""
        repository = open_repository(
            parse_repository(self.repository_url), Path(self.docker_config)
        )
        manifest = Manifest.parse(repository.read_manifest(digest))
        return [repository.read_blob(layer) for layer in manifest.layers]

    def leaks(self, *, but: str = "other tenant") -> list[tuple[str, str]]:
        """Return where which secret is, outside of the places that are made for it."""
        places: dict[str, bytes | str] = {}
        places |= {f"record {r.id}": repr(r) for r in self.records.list()}
        places |= {key: content for key, content in self.objects().items() if but not in key}
        places |= files_below(self.servers.registry.log.parent, but=set())
        places |= files_below(self.folder, but={Path(self.docker_config)})
        return self.told_leaks() + self.canaries.found_in(places)

    def told_leaks(self) -> list[tuple[str, str]]:
        """Return which secret was told to whom."""
        return self.canaries.found_in({f"told {n}": text for n, text in enumerate(self.told)})

    def _hear(self, reply: Reply | None) -> None:
        if reply is not None:
            self.told.append(f"{reply.type} {reply.data.model_dump_json()}")

    @contextlib.contextmanager
    def _logged(self) -> Iterator[None]:
        handler = _Listener(self.told)
        logger = logging.getLogger()
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.removeHandler(handler)


class _Listener(logging.Handler):
    """Hears every record with all its fields, as functions write them."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.INFO)
        self.told = told

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.getMessage()} {record.__dict__!r}")


def _unique() -> str:
    return f"fn-{uuid.uuid4().hex[:12]}"
