"""A person ends a build: which one, what is recorded, and what is too late."""

import pytest

from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.events import BUILD_FAILED, BuildCancel
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.cancel_build import CancelBuild
from tests.helpers.control_plane import HELLO, WITH_PACKAGES, ControlPlane

NEWER = {"source": {"inline": WITH_PACKAGES | {"newer.py": ""}}}


class Cancelled(ControlPlane):
    """Builds that somebody ends."""

    def cancel(self, event=None, request_id=None):
        """Deliver build.cancel."""
        use = CancelBuild(jobs=self.jobs, outcome=self.complete_build.record_outcome)
        return use(event or self.event(), HELLO, BuildCancel(request_id=request_id))


@pytest.fixture
def world():
    return Cancelled()


def test_a_build_that_runs_fails_with_the_reason_cancelled_and_keeps_its_log(world):
    job = world.start().data.job
    world.jobs.logs[job] = "Installing\n"
    reply = world.cancel()
    assert (reply.type, reply.data.reason, reply.data.retryable) == (
        BUILD_FAILED, "Cancelled", False,
    )  # fmt: skip
    assert world.record.status.phase is Phase.FAILED
    assert world.record.status.build.log == "Installing\n"


def test_what_served_before_serves_on(world):
    world.deploy()
    url, image = world.record.status.url, world.record.status.image
    world.start(**NEWER)
    world.cancel()
    assert (world.record.status.url, world.record.status.image) == (url, image)


def test_a_second_delivery_replies_the_same_and_another_event_nothing(world):
    world.start()
    event = world.event()
    assert repr(world.cancel(event)) == repr(world.cancel(event))
    assert world.cancel() is None


def test_only_the_build_of_the_request_that_is_named_ends(world):
    world.start(world.event(id="first"))
    world.start(world.event(id="second"), **NEWER)
    assert world.cancel(request_id="first") is None
    assert world.record.status.phase is Phase.BUILDING
    assert world.cancel(request_id="second").type == BUILD_FAILED


def test_a_build_that_ended_meanwhile_is_deployed(world):
    job = world.start().data.job
    world.finish(job)
    assert world.cancel() is None
    world.job_changed(job)
    assert world.record.status.phase is Phase.READY


def test_the_end_of_a_build_that_was_cancelled_deploys_nothing(world):
    job = world.start().data.job
    world.cancel()
    world.finish(job)
    assert world.job_changed(job) is None
    assert (world.record.status.phase, world.services.deployments) == (Phase.FAILED, {})


def test_without_a_record_or_a_build_nothing_happens(world):
    assert world.cancel() is None
    world.deploy()
    assert world.cancel() is None
    assert world.record.status.phase is Phase.READY


def test_a_build_that_is_about_to_start_is_cancelled_by_the_next_delivery(world):
    world.deploy()
    stamp = world.record.stamp.model_copy(update={"event_id": "newer"})
    world.records.replace_request(world.record.model_copy(update={"stamp": stamp}))
    with pytest.raises(NotReadyError):
        world.cancel()
