from datetime import timedelta

from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import RejectedByPlatformError
from knative_lambda.domain.events import BUILD_FAILED, FUNCTION_READY, BuildComplete
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import DIGEST, HELLO, ControlPlane, asking

COMPLETE = BuildComplete(build_id="0" * 64, digest=DIGEST)


def test_an_image_of_a_lambda_that_is_gone_is_nothing_to_answer():
    world = ControlPlane()
    assert world.complete_build.image_found(world.event(), HELLO, COMPLETE) is None


def test_an_image_that_is_not_wanted_any_more_is_not_deployed():
    world = ControlPlane()
    world.start()
    assert world.complete_build.image_found(world.event(), HELLO, COMPLETE) is None


def test_what_knative_refuses_is_a_failure_that_its_sender_is_told():
    world = ControlPlane()

    def refuse(deployment):
        raise RejectedByPlatformError("memory limit must not be below the request")

    world.services.apply = refuse
    reply = world.deploy()
    assert (reply.type, reply.data.retryable) == (BUILD_FAILED, False)
    assert reply.data.message == "memory limit must not be below the request"
    assert world.record.status.phase is Phase.FAILED


def test_a_revision_that_becomes_ready_within_the_delivery_is_told_at_once():
    world = ControlPlane()
    object.__setattr__(world.complete_build, "ready_timeout", timedelta(seconds=5))
    states = iter([ServiceState(ready=False), ServiceState(ready=True, url="u", revision="r")])
    world.services.state = lambda deployment: next(states)
    assert world.deploy().type == FUNCTION_READY


def test_a_build_that_was_given_up_is_completed_when_its_end_is_seen_after_all():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    lost = world.record.status.model_copy(update={"phase": Phase.FAILED})
    world.records.replace_status(world.record.model_copy(update={"status": lost}))
    assert world.job_changed(job).type == FUNCTION_READY


def test_conditions_keep_the_time_of_their_last_change():
    world = ControlPlane()
    world.deploy()
    before = {c.type: c.last_transition_time for c in world.record.status.conditions}
    world.clock.advance(timedelta(hours=1))
    world.deploy(source=asking("two"))
    after = {c.type: c.last_transition_time for c in world.record.status.conditions}
    assert after["SourceReady"] == before["SourceReady"]
    assert after["ServiceReady"] > before["ServiceReady"]
