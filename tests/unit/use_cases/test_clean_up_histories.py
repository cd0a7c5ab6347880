"""Cleanup between all that can happen to lambdas: nothing in use goes, nothing else stays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from knative_lambda.domain.build import (
    BuildFailure,
    JobState,
    context_key,
    image_tag,
    kept_packages_key,
    packages_object_key,
    packages_tag,
    source_key,
)
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import RetryableError, UnsupportedSourceError
from knative_lambda.domain.events import BUILD_COMPLETE, BUILD_PACKAGED
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from tests.helpers.control_plane import (
    IMAGE_PREFIX,
    REGISTRY,
    STORAGE,
    WITH_PACKAGES,
    ControlPlane,
    asking,
)
from tests.helpers.fakes_platform import READY, InMemoryLambdaServices
from tests.helpers.package_archives import packages_archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.domain.build import BuildJob
    from knative_lambda.domain.deployment import Deployment
    from knative_lambda.domain.events import Reply

BROKEN = BuildFailure(reason="RequirementNotFound", message="no such package", is_users=True)
WILL_NOT_START = ServiceState(ready=False, failure_reason="RevisionFailed", failure_message="x")

SOURCES = [
    {"inline": {"main.py": "0"}},
    {"inline": {"main.py": "1"}},
    {"inline": WITH_PACKAGES},
    asking("3"),
]
PACKAGES = [packages_archive({"number.py": number}) for number in ("0", "1")]
functions = st.sampled_from([FunctionId("shop", "cart"), FunctionId("shop", "till")])
sources = st.integers(0, 3)
moments = st.integers(0, 25)


class KilledError(Exception):
    """The function's process ended here."""


@dataclass
class At:
    """Ports of which the n-th call, counted over all of them, finds that something happened."""

    moment: int
    happens: Callable[[], None]

    def __call__(self, port):
        return Watched(port, self)

    def pass_by(self) -> None:
        self.moment -= 1
        if self.moment == -1:
            self.happens()


@dataclass
class Watched:
    port: object
    at: At

    def __getattr__(self, name):
        method = getattr(self.port, name)

        def call(*arguments, **options):
            self.at.pass_by()
            return method(*arguments, **options)

        return call


@dataclass
class ServicesWithRevisions(InMemoryLambdaServices):
    """The Revision before stays until the new one is ready, as with Knative."""

    revisions: dict[FunctionId, list[str]] = field(default_factory=dict)

    def apply(self, deployment: Deployment) -> bool:
        applied = super().apply(deployment)
        if applied:
            self.revisions.setdefault(deployment.function, []).append(deployment.image)
        return applied

    def state(self, deployment: Deployment) -> ServiceState:
        state = super().state(deployment)
        if state.ready:
            self.revisions[deployment.function] = [deployment.image]
        return state

    def delete(self, function: FunctionId) -> None:
        super().delete(function)
        self.revisions.pop(function, None)

    def images_in_use(self):
        yield from [image for images in self.revisions.values() for image in images]


def digest_of(job: BuildJob) -> str:
    """Some sources differ in nothing that matters, and make the same image."""
    return f"sha256:{int(job.build_id, 16) % 2:064x}"


class Histories(RuleBasedStateMachine):
    """Two lambdas, four sources, the control functions, and a Broker that may lose or repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.world = ControlPlane(services=ServicesWithRevisions())
        self.world.images.digest = None
        self.deliveries: list[Callable[[], object]] = []
        self.packaged: Reply | None = None

    # --- what senders do

    @initialize(function=functions, source=sources)
    def a_first_lambda(self, function, source):
        self.request(function, source)

    @rule(function=functions, source=sources)
    def request(self, function, source):
        self.deliver_start(function, SOURCES[source])

    @rule(function=functions, source=sources)
    def deploy(self, function, source):
        """What mostly happens: nothing comes in between."""
        self.request(function, source)
        for job in self.running():
            self.end(job)
        self.deliver_all()

    @rule(function=functions, owner=functions, data=st.data())
    def request_an_image(self, function, owner, data):
        if not (digests := self.digests(f"{REGISTRY}/{owner}")):
            return
        image = {"image": f"{IMAGE_PREFIX}/{owner}@{data.draw(st.sampled_from(sorted(digests)))}"}
        if owner == function:
            self.deliver_start(function, image)
        else:
            with pytest.raises(UnsupportedSourceError):
                self.world.start(function=function, source=image)

    @rule(function=functions, source=sources, moment=moments)
    def request_and_have_build_start_killed(self, function, source, moment):
        at, start_build = At(moment, self.kill), self.world.start_build
        ports = watched(start_build, at, "records", "jobs", "registry", "storage")
        self.world.start_build = replace(start_build, **ports)
        try:
            self.request(function, source)
        except KilledError:
            self.deliveries.append(self.last_request)
        finally:
            self.world.start_build = start_build

    @rule(function=functions, late=st.booleans())
    def delete(self, function, late):
        event = self.world.event()
        ending = [job for job in self.running() if job.function == function]
        self.deliver(lambda: self.world.delete_lambda(event, function))
        for job in ending if late else ():  # its containers end a moment after their Job is gone
            self.world.push(job, digest_of(job))

    @rule(function=functions, moment=moments)
    def delete_and_be_killed(self, function, moment):
        event, at, delete_lambda = (
            self.world.event(),
            At(moment, self.kill),
            self.world.delete_lambda,
        )
        ports = watched(delete_lambda, at, "records", "jobs", "services", "registry", "storage")
        once = replace(delete_lambda, **ports)
        try:
            once(event, function)
        except KilledError:
            self.deliver(lambda: self.world.delete_lambda(event, function))
        except RetryableError:
            pass

    # --- what builds and Revisions do

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_build_pushes(self, data):
        job = data.draw(st.sampled_from(self.running()))
        self.world.push(job, digest_of(job))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_build_of_the_version_before_ends(self, data):
        job = data.draw(st.sampled_from(self.running()))
        digest = digest_of(job)
        self.world.push(job, digest)
        self.world.jobs.succeed(job.name, digest)
        self.later(lambda event: self.job_changed(event, job.name))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_build_leaves_its_packages_and_goes_on(self, data):
        self.leave(data.draw(st.sampled_from(self.running())))

    @precondition(lambda self: self.packaged is not None)
    @rule(moment=moments)
    def publish_is_killed(self, moment):
        at, publish_image, packaged = At(moment, self.kill), self.world.publish_image, self.packaged
        ports = watched(publish_image, at, "records", "registry", "storage", "images")
        self.world.publish_image = replace(publish_image, **ports)
        try:
            self.publish(packaged)
        except (KilledError, RetryableError):
            self.later(lambda _: self.publish(packaged))
        finally:
            self.world.publish_image = publish_image

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_build_ends(self, data):
        self.end(data.draw(st.sampled_from(self.running())))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_build_fails(self, data):
        job = data.draw(st.sampled_from(self.running()))
        self.world.jobs.fail(job.name, BROKEN)
        self.later(lambda event: self.job_changed(event, job.name))

    @rule(starts=st.booleans())
    def revisions_start_from_now_on(self, starts):
        self.world.services.outcome = READY if starts else WILL_NOT_START

    # --- what the Broker does

    @precondition(lambda self: self.deliveries)
    @rule(again=st.booleans())
    def a_delivery(self, again):
        delivery = self.deliveries[0]
        if not again:
            self.deliveries.pop(0)
        self.deliver(delivery)

    @precondition(lambda self: self.deliveries)
    @rule()
    def a_delivery_is_given_up(self):
        self.deliveries.pop()

    # --- what cleanup does

    @rule(minutes=st.sampled_from([11, 25 * 60]))
    def time_passes(self, minutes):
        self.world.clock.advance(timedelta(minutes=minutes))

    @rule()
    def a_pass(self):
        self.world.clean_up(dry_run=False)
        reminded, self.world.records.reminded = self.world.records.reminded, {}
        for function in reminded:
            self.later(lambda _, function=function: self.take_up(function))

    @rule()
    def a_dry_run(self):
        before = self.everything()
        self.world.clean_up(dry_run=True)
        assert self.everything() == before

    @rule(moment=moments)
    def a_pass_that_is_killed(self, moment):
        with suppress(KilledError):
            self.pass_while(moment, self.kill)

    @rule(moment=moments, function=functions, source=sources)
    def a_pass_while_somebody_deploys(self, moment, function, source):
        if self.world.records.get(function) is not None:
            self.pass_while(moment, lambda: self.request(function, source))

    @rule(moment=moments, function=functions, old=sources, new=sources)
    def a_pass_while_somebody_goes_back_to_an_old_source(self, moment, function, old, new):
        self.deploy(function, old)
        self.deploy(function, new)
        self.time_passes(25 * 60)
        self.a_pass()
        self.a_pass_while_somebody_deploys(moment, function, old)

    @precondition(lambda self: self.running())
    @rule(moment=moments, data=st.data())
    def a_pass_while_a_build_ends(self, moment, data):
        job = data.draw(st.sampled_from(self.running()))
        self.pass_while(moment, lambda: self.world.jobs.get(job.name) and self.end(job))

    @precondition(lambda self: self.deliveries)
    @rule(moment=moments)
    def a_pass_while_something_is_delivered(self, moment):
        self.pass_while(moment, lambda: self.deliver(self.deliveries[0]))

    @rule()
    def everything_settles(self):
        """All Jobs end and all deliveries arrive; retention passes; cleanup comes twice.

        Before that it comes once more, for records that nobody has taken up.
        """
        for _ in range(2):
            self.all_ends()
            self.deliveries.clear()  # the Broker gives up in the end
            self.time_passes(11)
            self.a_pass()
        self.all_ends()
        self.deliveries.clear()
        for _ in range(2):
            self.time_passes(25 * 60)
            self.a_pass()
        self.nothing_unreachable_is_left()

    # --- what has to hold

    @invariant()
    def every_image_of_a_revision_is_there(self):
        for image in self.world.services.images_in_use():
            name, _, digest = image.partition("@")
            repository = name.replace(IMAGE_PREFIX, REGISTRY)
            assert digest in self.digests(repository), f"{image} serves and is gone"

    @invariant()
    def every_image_about_to_be_deployed_is_there(self):
        for record in self.world.records.list():
            digest = self.wanted_digest(record)
            if digest is not None:
                repository = f"{REGISTRY}/{record.id}"
                assert digest in self.digests(repository), f"{record.id} wants {digest}"

    def nothing_unreachable_is_left(self):
        world, reachable, wanted = self.world, set(), set()
        for image in world.services.images_in_use():
            name, _, digest = image.partition("@")
            wanted.add((name.replace(IMAGE_PREFIX, REGISTRY), digest))
        for record in world.records.list():
            said = record.status.build
            assert not record.status.collecting
            assert record.is_observed
            assert record.status.phase not in {Phase.BUILDING, Phase.DEPLOYING}
            if said is not None:
                for key_of in (source_key, context_key, packages_object_key):
                    reachable.add(STORAGE + key_of(record.id, said.id))
                found = world.registry.find(f"{REGISTRY}/{record.id}", image_tag(said.id))
                wanted |= {
                    (f"{REGISTRY}/{record.id}", found),
                    (f"{REGISTRY}/{record.id}", said.digest),
                }
            for key in packages_of(record):
                reachable.add(STORAGE + kept_packages_key(record.id, key))
                found = world.registry.find(f"{REGISTRY}/{record.id}", packages_tag(key))
                wanted.add((f"{REGISTRY}/{record.id}", found))
        for repository, tags in world.registry.images.items():
            for digest in tags.values():
                assert (repository, digest) in wanted
        assert not list(world.jobs.list())
        left = {uri for uri in world.storage.objects if not uri.startswith(f"{STORAGE}logs/")}
        assert left <= reachable

    # --- how it is done

    def deliver_start(self, function, source):
        event = self.world.event()

        def start():
            self.answered(self.world.start(event, function=function, source=source))

        self.last_request = start
        self.deliver(start)

    def answered(self, reply):
        """Let the Broker pass on a reply."""
        if reply is None:
            return
        if reply.type == BUILD_PACKAGED:
            self.packaged = reply
            self.later(lambda _: self.publish(reply))
        elif reply.type == BUILD_COMPLETE:
            self.later(lambda event: self.world.complete(reply, event))

    def take_up(self, function):
        self.answered(self.world.start_build.applied(function))

    def job_changed(self, event, job):
        self.answered(self.world.job_changed(job, event))

    def publish(self, packaged):
        self.answered(self.world.publish(packaged))

    def later(self, deliver):
        event = self.world.event()
        self.deliveries.append(lambda: deliver(event))

    def deliver(self, delivery):
        """Once; what is answered with 503 comes again at any time later."""
        try:
            delivery()
        except RetryableError:
            if delivery not in self.deliveries:
                self.deliveries.append(delivery)

    def all_ends(self):
        for _ in range(5):
            for job in self.running():
                self.world.jobs.fail(job.name, BROKEN)
                self.later(lambda event, name=job.name: self.job_changed(event, name))
            self.deliver_all()

    def deliver_all(self):
        deliveries, self.deliveries = self.deliveries, []
        for delivery in deliveries:
            self.deliver(delivery)

    def end(self, job):
        self.leave(job)
        self.world.jobs.succeed(job.name)
        self.later(lambda event: self.job_changed(event, job.name))

    def leave(self, job):
        """Some packages differ in nothing, and make the same layer."""
        content = PACKAGES[int(job.build_id, 16) % len(PACKAGES)]
        key = packages_object_key(job.function, job.build_id)
        self.world.put_source(STORAGE + key, content)

    def pass_while(self, moment, happens):
        at, clean_up = At(moment, happens), self.world.clean_up
        ports = ("records", "jobs", "services", "registry", "storage")
        replace(clean_up, **watched(clean_up, at, *ports))(dry_run=False)

    def kill(self):
        raise KilledError

    def running(self):
        return [job for job in self.world.jobs.list() if job.state is JobState.RUNNING]

    def digests(self, repository):
        return set(self.world.registry.images.get(repository, {}).values())

    def wanted_digest(self, record):
        """The image that build-complete is about to deploy."""
        said = record.status.build
        if said is None or not said.serves(record.stamp) or said.completed_by is not None:
            return None
        if record.status.phase not in {Phase.BUILDING, Phase.DEPLOYING}:
            return None
        job = self.world.jobs.get(said.job) if said.job else None
        return job.digest if job is not None else said.digest

    def everything(self):
        world = self.world
        return (
            dict(world.records.records),
            dict(world.jobs.jobs),
            dict(world.storage.objects),
            {name: dict(tags) for name, tags in world.registry.images.items()},
        )


def packages_of(record):
    """Keys of the packages that images of a record are made with."""
    said, kept = record.status.build, record.status.packages
    return {said and said.packages_key, kept and kept.key} - {None}


def watched(use_case, at, *names):
    return {name: at(getattr(use_case, name)) for name in names}


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=200, stateful_step_count=40)
