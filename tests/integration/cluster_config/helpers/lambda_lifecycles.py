"""Lifecycles of lambdas on a real API server: each use case with the rights of its own function."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from knative_lambda.adapters.kubernetes.build_jobs import KubernetesBuildJobs
from knative_lambda.adapters.kubernetes.build_queue import KubernetesBuildQueue
from knative_lambda.adapters.kubernetes.client import JOBS, LAMBDA_FUNCTIONS, KubernetesApi
from knative_lambda.adapters.kubernetes.event_recorder import KubernetesEventRecorder
from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
from knative_lambda.adapters.kubernetes.services import KubernetesLambdaServices
from knative_lambda.domain.build import BuildFailure, packages_object_key
from knative_lambda.domain.build_queue import BuildLimits
from knative_lambda.domain.deployment import Deployment, ServiceState
from knative_lambda.domain.errors import NotReadyError, SourceNotFoundError
from knative_lambda.domain.events import ObjectReference
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests.build_job import BuildJobOptions
from knative_lambda.use_cases.watch_build import WatchBuild
from tests.helpers.control_plane import HELLO, STORAGE, ControlPlane
from tests.helpers.package_archives import packages_archive
from tests.helpers.platforms import KubernetesHands

if TYPE_CHECKING:
    from knative_lambda.domain.events import Reply
    from tests.helpers.api_server import ApiServer

BUILDS = "knative-lambda-builds"
OPTIONS = BuildJobOptions(
    namespace=BUILDS,
    build_job_image="registry.example/builder",
    runtimes_dir="/runtimes",
    timeout=timedelta(minutes=10),
    context_max_bytes=1,
    unpacked_max_bytes=1,
    max_files=1,
    packages_max_bytes=1,
)


@dataclass
class LambdaLifecycles:
    """Storage, registry and clock in memory; everything of Kubernetes is real."""

    server: ApiServer
    apis: list[KubernetesApi] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = ControlPlane()
        self.world.clock.time = datetime.now(UTC)
        # Else another source would be the same image, which is ready already.
        self.world.images.digest = None
        self.admit_builds = self._with_rights("build-start", self.world.admit_builds)
        self.start_build = dataclasses.replace(
            self._with_rights("build-start", self.world.start_build), admission=self.admit_builds
        )
        self.publish_image = self._with_rights("publish", self.world.publish_image)
        self.complete_build = self._with_rights("build-complete", self.world.complete_build)
        self.watch_build = self._with_rights(
            "build-complete",
            WatchBuild(
                records=self.world.records,
                jobs=self.world.jobs,
                storage=self.world.storage,
                clock=self.world.clock,
                storage_url=STORAGE,
                start_timeout=timedelta(seconds=1),
            ),
        )
        self.notice_recovery = self._with_rights("build-complete", self.world.notice_recovery)
        self.delete_lambda = self._with_rights("delete", self.world.delete_lambda)
        self.clean_up = self._with_rights("cleanup", self.world.clean_up)
        self.world.start_build = self.start_build
        self.world.complete_build = self.complete_build
        self.world.publish_image = self.publish_image
        self.world.event_recorder = KubernetesEventRecorder(api=self.start_build.records.api)

    def _with_rights(self, account: str, use_case: Any) -> Any:
        api = self._api(str(self.server.kubeconfig_of(account)))
        ports = {
            "records": KubernetesLambdaFunctions(api=api),
            "jobs": KubernetesBuildJobs(api=api, namespace=BUILDS, options=OPTIONS),
            "queue": KubernetesBuildQueue(api=api, options=OPTIONS),
            "services": KubernetesLambdaServices(api=api),
        }
        own = {name: port for name, port in ports.items() if hasattr(use_case, name)}
        return dataclasses.replace(use_case, **own)

    def _api(self, kubeconfig: str) -> KubernetesApi:
        api = KubernetesApi(kubeconfig=kubeconfig)
        self.apis.append(api)
        return api

    @cached_property
    def hands(self) -> KubernetesHands:
        """What controllers and kubelets do."""
        admin = self._api(str(self.server.kubeconfig))
        return KubernetesHands(admin, BUILDS, lambda *_: None)

    def close(self) -> None:
        """Close connections, which the tests' warnings insist on."""
        for api in self.apis:
            if "_client" in vars(api):
                api._client.rest_client.pool_manager.clear()

    def run(self) -> None:
        """Everything that the functions ever do."""
        self._deploy_twice()
        self._wait_for_others()
        self._refuse()
        self._build_badly()
        self._wait_for_a_node()
        self._recover(self._start_badly())
        self._clean_up()
        self._delete()
        self._apply_by_hand()

    def _build(self, **spec: Any) -> str:
        job = self.world.start(**spec).data.job
        item = self.hands.api.get(JOBS, BUILDS, job)
        build_id = item["metadata"]["annotations"]["knative-lambda.dev/build-id"]
        left = STORAGE + packages_object_key(HELLO, build_id)
        self.world.storage.write(left, io.BytesIO(packages_archive({"of.py": job})))
        self.hands.succeed(job)
        return job

    def _publish(self, **spec: Any) -> Reply:
        """Have an image made of what a build left."""
        packaged = self.world.job_changed(self._build(**spec))
        assert packaged.type.endswith("build.packaged.v1")
        return self.world.publish(packaged)

    def _deploy(self, **spec: Any) -> None:
        complete = self._publish(**spec)
        event = self.world.event()
        with pytest.raises(NotReadyError):
            self.world.complete(complete, event)  # nobody is there to make it ready
        record = self.start_build.records.get(HELLO)
        deployment = Deployment(
            function=HELLO, uid=record.uid, generation=record.generation, spec=record.spec, image=""
        )
        ready = ServiceState(ready=True, url="http://hello", revision="hello-00001")
        self.hands.become(deployment, ready)
        assert self.world.complete(complete, event).type.endswith("function.ready.v1")

    def _deploy_twice(self) -> None:
        self._deploy(subscriptions=[{"type": "a"}])
        self._deploy(subscriptions=[{"type": "b"}], source=_source("2"))
        assert self.hands.subscriptions(HELLO) == [{"type": "b"}]

    def _wait_for_others(self) -> None:
        """A build waits for that of another lambda, and is released when that has ended."""
        limits = BuildLimits(in_all=1, per_tenant=1)
        admission = dataclasses.replace(self.admit_builds, limits=limits)
        self.world.start_build = dataclasses.replace(self.start_build, admission=admission)
        other = FunctionId(HELLO.namespace, "other")
        first = self.world.start(source=_source("runs")).data.job
        second = self.world.start(function=other, source=_source("waits")).data.job
        assert self.hands.api.get(JOBS, BUILDS, second)["spec"]["suspend"] is True
        self.hands.succeed(first)
        assert admission().data.job == second
        self.hands.succeed(second)
        self.world.start_build = self.start_build
        self.delete_lambda(self.world.event(), other)

    def _refuse(self) -> None:
        """A request for a source that is not there, which an Event tells of."""
        with pytest.raises(SourceNotFoundError):
            self.world.start(source={"uri": "s3://sources/default/none.zip"})
        assert [reason for reason, _ in self.hands.told(HELLO)] == ["SourceNotFound"]

    def _start_badly(self) -> Deployment:
        """A build ends well, and its function does not start."""
        complete = self._publish(source=_source("ends at once"))
        event = self.world.event()
        with pytest.raises(NotReadyError):
            self.world.complete(complete, event)
        record = self.start_build.records.get(HELLO)
        deployment = Deployment(
            function=HELLO, uid=record.uid, generation=record.generation, spec=record.spec, image=""
        )
        self.hands.crash(deployment, "it ended")
        assert "it ended" in self.world.complete(complete, event).data.message
        return deployment

    def _recover(self, deployment: Deployment) -> None:
        """It starts after all, and is ready then."""
        changed = ObjectReference(kind="Service", namespace=HELLO.namespace, name=HELLO.name)
        assert self.notice_recovery(self.world.event(), changed) is None
        ready = ServiceState(ready=True, url="http://hello", revision="hello-00007")
        self.hands.become(deployment, ready)
        reply = self.notice_recovery(self.world.event(), changed)
        assert reply.type.endswith("function.ready.v1")

    def _build_badly(self) -> None:
        """A build fails; the same request again takes the place of its Job."""
        source = _source("broken")
        job = self.world.start(source=source).data.job
        self.hands.fail(job, BuildFailure(reason="No", message="no", is_users=True))
        assert self.world.job_changed(job).type.endswith("build.failed.v1")
        self.world.start(source=source)
        self.hands.fail(job, BuildFailure(reason="No", message="no", is_users=False))
        self.world.job_changed(job)

    def _wait_for_a_node(self) -> None:
        """No node takes a build: it fails while its Job goes on, which then goes too."""
        started = self.world.start(source=_source("too large")).data
        self.hands.wait_for_a_node(started.job, "0/3 nodes are available")
        self.world.clock.advance(timedelta(minutes=2))
        event = self.world.event()
        failed = self.watch_build.build_started(event, HELLO, started)
        assert "0/3 nodes are available" in failed.data.message
        assert self.watch_build.build_started(event, HELLO, started) == failed
        self.watch_build.build_failed(HELLO, failed.data)
        assert self.hands.api.find(JOBS, BUILDS, started.job) is None
        assert self.watch_build.build_started(event, HELLO, started) == failed

    def _clean_up(self) -> None:
        """An end nobody heard of, Jobs whose lambda is gone, and a build that vanished."""
        self._build(source=_source("unheard"))
        self.world.clock.advance(timedelta(minutes=2))
        assert self.clean_up(dry_run=False).data.notified_jobs == 1
        self._remove_record()
        assert self.clean_up(dry_run=False).data.jobs > 0
        job = self._build(source=_source("of one that goes"))
        self._remove_record()
        assert self.world.job_changed(job) is None
        assert self.hands.api.find(JOBS, BUILDS, job) is None
        job = self.world.start(source=_source("vanished")).data.job
        self.hands.api.delete(JOBS, BUILDS, job)
        self.world.clock.advance(timedelta(hours=2))
        assert self.clean_up(dry_run=False).data.stuck_builds == 1

    def _remove_record(self) -> None:
        """What build-start does with a request that a deletion overtook."""
        records = self.start_build.records
        records.delete(records.get(HELLO))

    def _delete(self) -> None:
        # Nobody collects garbage here: what belonged to the lambda that went is still there.
        self.delete_lambda(self.world.event(), HELLO)
        self._deploy(subscriptions=[{"type": "c"}], source=_source("3"))
        reply = self.delete_lambda(self.world.event(), HELLO)
        assert reply.type.endswith("function.deleted.v1")
        assert self.start_build.records.get(HELLO) is None
        assert self.hands.subscriptions(HELLO) == []

    def _apply_by_hand(self) -> None:
        """A record is applied while nobody hears of it, is taken up, and goes."""
        item = {
            "apiVersion": "knative-lambda.dev/v1alpha1",
            "kind": "LambdaFunction",
            "metadata": {"namespace": HELLO.namespace, "name": HELLO.name},
            "spec": {"runtime": "python3.11", "source": _source("by hand")},
        }
        self.hands.api.create(LAMBDA_FUNCTIONS, item)
        self.world.clock.time = datetime.now(UTC) + timedelta(minutes=2)
        assert self.clean_up(dry_run=False).data.notified_records == 1
        assert self.start_build.applied(HELLO).type.endswith("build.started.v1")
        assert self.start_build.applied(HELLO) is None
        self.hands.api.delete(LAMBDA_FUNCTIONS, HELLO.namespace, HELLO.name)
        reply = self.delete_lambda.removed(self.world.event(), HELLO)
        assert reply.type.endswith("function.deleted.v1")


def _source(code: str) -> dict[str, Any]:
    """A source that asks for packages of its own, which no earlier build has left."""
    return {"inline": {"main.py": code, "requirements.txt": f"flask # {code}\n"}}
