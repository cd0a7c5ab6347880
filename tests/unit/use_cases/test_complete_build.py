from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.build_queue import BuildLimits
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import (
    NotReadyError,
    RejectedByPlatformError,
    StorageUnavailableError,
)
from knative_lambda.domain.events import BUILD_FAILED, FUNCTION_READY, BuildComplete
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from tests.helpers.control_plane import DIGEST, HELLO, ControlPlane, asking

BROKEN = BuildFailure(reason="RequirementNotFound", message="no such package", is_users=True)


def test_a_finished_build_is_deployed_by_its_digest():
    world = ControlPlane()
    reply = world.deploy()
    assert reply.type == FUNCTION_READY
    assert world.services.deployments[HELLO].image == f"registry/lambdas/default/hello@{DIGEST}"
    assert world.record.status.phase is Phase.READY
    assert world.record.status.url == "http://lambda"


def test_a_running_job_is_left_alone():
    world = ControlPlane()
    job = world.start().data.job
    assert world.job_changed(job) is None
    assert not world.services.deployments


def test_a_job_that_is_gone_is_nothing_to_answer():
    assert ControlPlane().job_changed("gone") is None


def test_a_redelivered_job_event_repeats_the_reply():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    event = world.event()
    assert world.job_changed(job, event) == world.job_changed(job, event)


def test_further_events_of_a_settled_job_are_not_told_again():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.job_changed(job)
    assert world.job_changed(job) is None


def test_two_events_of_one_end_that_are_handled_at_once_are_told_of_once():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    state, replies = world.services.state, []

    def state_after_the_other_event(deployment):
        if not replies:
            replies.append(None)
            replies.append(world.job_changed(job))
        return state(deployment)

    world.services.state = state_after_the_other_event
    replies.append(world.job_changed(job))
    assert [reply.type for reply in replies if reply] == [FUNCTION_READY]


def test_an_image_that_was_there_is_deployed():
    world = ControlPlane()
    world.deploy()
    data = world.start(env=[{"name": "A", "value": "1"}]).data
    complete = BuildComplete(build_id=data.build_id, digest=data.digest)
    reply = world.complete_build.image_found(world.event(), HELLO, complete)
    assert reply.type == FUNCTION_READY
    assert world.services.deployments[HELLO].spec.env[0].name == "A"


def test_the_digest_of_an_event_is_not_trusted():
    world = ControlPlane()
    world.deploy()
    build_id = world.start(env=[{"name": "A", "value": "1"}]).data.build_id
    forged = BuildComplete(build_id=build_id, digest="sha256:" + "e" * 64)
    world.complete_build.image_found(world.event(), HELLO, forged)
    assert world.services.deployments[HELLO].image.endswith(DIGEST)


MADE_UP = {
    "a digest": {"digest": "sha256:" + "e" * 64},
    "a failure": {"failure": {"reason": "MadeUp", "message": "m", "is_users": True}},
}


@pytest.mark.parametrize("outcome", MADE_UP.values(), ids=MADE_UP)
def test_a_build_that_waits_is_ended_by_no_build_complete(outcome):
    world = ControlPlane(limits=BuildLimits(in_all=1, per_tenant=1))
    world.start(function=FunctionId("default", "first"))
    world.start()
    complete = BuildComplete.model_validate({"build_id": world.record.status.build.id, **outcome})
    assert world.complete_build.image_found(world.event(), HELLO, complete) is None
    assert world.record.status.phase is Phase.BUILDING
    assert world.record.status.build.completed_by is None
    job = world.record.status.build.job
    world.leave(job)
    assert world.go_on(world.job_changed(job)).type == FUNCTION_READY


MISSING = {"failure": {"reason": "PackagesMissing", "message": "m", "is_users": False}}
STALE = {"a digest": MADE_UP["a digest"], "missing packages": MISSING}


@pytest.mark.parametrize("outcome", STALE.values(), ids=STALE)
@pytest.mark.parametrize("is_kept", [False, True])
def test_a_build_whose_packages_are_there_is_ended_by_no_stale_build_complete(outcome, is_kept):
    world = ControlPlane()
    job = world.start().data.job
    world.leave(job)
    packaged = world.job_changed(job)
    stale = BuildComplete.model_validate({"build_id": packaged.data.build_id, **outcome})
    publish, replies = world.images.publish, []

    def publish_after_the_stale_event(*arguments):
        replies.append(world.complete_build.image_found(world.event(), HELLO, stale))
        return publish(*arguments)

    if is_kept:
        world.images.publish = publish_after_the_stale_event
    else:
        replies.append(world.complete_build.image_found(world.event(), HELLO, stale))
    assert world.complete(world.publish(packaged)).type == FUNCTION_READY
    assert replies == [None]


def test_a_recorded_outcome_is_changed_by_no_event_that_has_the_id_of_the_one_that_told_it():
    world = ControlPlane()
    world.deploy()
    said = world.record.status.build
    failed = BuildComplete.model_validate({"build_id": said.id, **MADE_UP["a failure"]})
    event = world.event(id=said.completed_by)
    assert world.complete_build.image_found(event, HELLO, failed) is None
    assert world.record.status.phase is Phase.READY
    assert world.record.status.build.reason is None


def test_a_redelivered_failure_repeats_the_reply():
    world = ControlPlane()
    job = world.start().data.job
    world.leave(job, b"no archive")
    complete = world.publish(world.job_changed(job))
    assert complete.data.failure is not None
    event = world.event()
    first = world.complete(complete, event)
    assert first.type == BUILD_FAILED
    assert world.complete(complete, event) == first


def test_a_build_that_is_not_wanted_any_more_is_not_deployed():
    world = ControlPlane()
    old = world.start().data.job
    world.start(source=asking("newer"))
    world.finish(old)
    assert world.job_changed(old) is None
    assert not world.services.deployments


def test_a_job_that_ends_before_its_start_is_recorded_is_looked_at_again():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    # A newer request is written; which build it means is not known yet.
    newer = world.record.stamp.model_copy(update={"event_id": "next"})
    world.records.replace_request(world.record.model_copy(update={"stamp": newer}))
    with pytest.raises(NotReadyError):
        world.job_changed(job)


def test_a_job_of_a_deleted_lambda_is_removed():
    world = ControlPlane()
    job = world.start().data.job
    world.records.delete(world.record)
    world.finish(job)
    assert world.job_changed(job) is None
    assert world.jobs.get(job) is None


def test_a_failed_build_is_told_with_its_reason_and_log():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.fail(job, BROKEN, log="x" * 100_000 + "the end")
    reply = world.job_changed(job)
    assert reply.type == BUILD_FAILED
    assert (reply.data.reason, reply.data.retryable) == ("RequirementNotFound", False)
    assert reply.data.log.endswith("the end")
    stored = world.storage.objects[world.record.status.build.log_uri][0]
    assert len(stored) == 64 * 1024


def kept_log(world):
    uri = world.record.status.build.log_uri
    return None if uri is None else world.storage.objects[uri][0].decode()


def test_the_log_of_a_build_that_went_well_outlives_its_job():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.jobs.logs[job] = "x" * 100_000 + "installed"
    assert world.job_changed(job).type == FUNCTION_READY
    world.jobs.delete(job)
    assert len(kept_log(world)) == 64 * 1024
    assert kept_log(world).endswith("installed")
    assert world.record.status.build.log_uri.startswith("s3://own/logs/default/hello/")


def test_a_log_is_kept_once_and_by_whoever_settled_the_build():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.jobs.logs[job] = "first"
    event = world.event()
    world.job_changed(job, event)
    world.jobs.logs[job] = "second"
    assert world.job_changed(job, event).type == FUNCTION_READY
    assert world.job_changed(job) is None
    assert kept_log(world) == "first"


@pytest.mark.parametrize("trouble", [StorageUnavailableError, RejectedByPlatformError])
@pytest.mark.parametrize("place", ["jobs.log_tail", "storage.write"])
def test_a_log_that_cannot_be_kept_fails_nothing(trouble, place):
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.jobs.logs[job] = "installed"

    def refuse(*_arguments, **_options):
        assert world.record.status.phase is Phase.READY  # the deployment does not wait for it
        raise trouble("out of order")

    part, method = place.split(".")
    setattr(getattr(world, part), method, refuse)
    assert world.job_changed(job).type == FUNCTION_READY
    assert kept_log(world) is None


def test_a_log_says_nothing_of_a_newer_request():
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.jobs.logs[job] = "installed"
    write = world.storage.write

    def write_after_a_newer_request(uri, source):
        write(uri, source)
        if "/logs/" in uri:
            world.start(env=[{"name": "A", "value": "1"}])

    world.storage.write = write_after_a_newer_request
    world.job_changed(job)
    assert kept_log(world) is None


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_deletion_that_comes_in_between_leaves_no_log(is_gone):
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.jobs.logs[job] = "installed"
    write = world.storage.write

    def write_after_a_deletion_looked_for_logs(uri, source):
        if "/logs/" in uri:
            going = world.record.status.model_copy(update={"phase": Phase.DELETING})
            marked = world.record.model_copy(update={"status": going})
            world.records.replace_status(marked)
            if is_gone:
                world.records.delete(marked)
        write(uri, source)

    world.storage.write = write_after_a_deletion_looked_for_logs
    world.job_changed(job)
    assert not [uri for uri in world.storage.objects if "/logs/" in uri]


def test_an_image_that_was_there_has_no_log_of_its_own():
    world = ControlPlane()
    world.deploy()
    data = world.start(env=[{"name": "A", "value": "1"}]).data
    complete = BuildComplete(build_id=data.build_id, digest=data.digest)
    world.complete_build.image_found(world.event(), HELLO, complete)
    assert kept_log(world) is None


def test_a_failed_update_leaves_the_old_revision_serving():
    world = ControlPlane()
    world.deploy()
    job = world.start(source=asking("broken")).data.job
    world.jobs.fail(job, BROKEN)
    world.job_changed(job)
    assert world.record.status.phase is Phase.FAILED
    assert world.record.status.url == "http://lambda"
    assert world.services.deployments[HELLO].image.endswith(DIGEST)


def test_a_revision_that_does_not_start_is_a_failure():
    world = ControlPlane()
    world.services.outcome = ServiceState(
        ready=False, failure_reason="RevisionFailed", failure_message="no handler"
    )
    reply = world.deploy()
    assert (reply.type, reply.data.message) == (BUILD_FAILED, "no handler")
    conditions = {c.type: c.status for c in world.record.status.conditions}
    assert (conditions["BuildReady"], conditions["ServiceReady"]) == ("True", "False")


def test_a_revision_without_a_node_may_still_get_one_until_it_has_waited_long_enough():
    world = ControlPlane()
    world.services.outcome = ServiceState(
        ready=False,
        failure_reason="RevisionFailed",
        failure_message="0/1 nodes are available: 1 Insufficient cpu.",
        pending_since=world.clock.now(),
    )
    with pytest.raises(NotReadyError):
        world.deploy()
    assert world.record.status.phase is not Phase.FAILED
    world.clock.advance(timedelta(seconds=90))
    (job,) = world.jobs.list()
    reply = world.job_changed(job.name)
    assert (reply.type, reply.data.message) == (
        BUILD_FAILED,
        "0/1 nodes are available: 1 Insufficient cpu.",
    )


def test_events_that_are_not_delivered_are_a_failure_of_the_subscriptions_alone():
    world = ControlPlane()
    world.services.outcome = ServiceState(
        ready=False,
        failure_reason="BrokerDoesNotExist",
        failure_message="Trigger hello-1: no such Broker",
        serves=True,
    )
    reply = world.deploy()
    assert (reply.type, reply.data.reason, reply.data.retryable) == (
        BUILD_FAILED,
        "BrokerDoesNotExist",
        True,
    )
    conditions = {c.type: c.status for c in world.record.status.conditions}
    assert (conditions["BuildReady"], conditions["ServiceReady"]) == ("True", "True")
    assert conditions["SubscriptionsReady"] == "False"


def test_a_slow_start_is_looked_at_again():
    world = ControlPlane()
    world.services.outcome = ServiceState(ready=False)
    with pytest.raises(NotReadyError):
        world.deploy()
    world.services.outcome = ServiceState(ready=True, url="u", revision="r")
    (job,) = world.jobs.list()
    assert world.job_changed(job.name).type == FUNCTION_READY


def test_an_image_that_vanished_is_a_failure_of_ours():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.succeed(job, None)
    reply = world.job_changed(job)
    assert (reply.data.reason, reply.data.retryable) == ("ImageMissing", True)
