import tarfile
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.errors import (
    InvalidEventError,
    LimitExceededError,
    NotReadyError,
    SourceNotFoundError,
    UnreadableRecordError,
    UnsupportedRuntimeError,
    UnsupportedSourceError,
)
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_STARTED,
    BUILD_SUPERSEDED,
)
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import DIGEST, HELLO, IMAGE_PREFIX, ControlPlane, asking


def test_a_request_becomes_a_record_and_one_job():
    world = ControlPlane()
    reply = world.start()
    assert reply.type == BUILD_STARTED
    assert world.record.status.phase is Phase.BUILDING
    assert [job.name for job in world.jobs.list()] == [reply.data.job]


def test_the_same_event_delivered_twenty_times_is_one_job_and_one_reply():
    world = ControlPlane()
    event = world.event()
    replies = {repr(world.start(event)) for _ in range(20)}
    assert len(replies) == 1
    assert len(world.jobs.started) == 1


def test_twenty_requests_for_the_same_source_share_one_job():
    world = ControlPlane()
    names = {world.start().data.job for _ in range(20)}
    assert len(names) == 1
    assert len(world.jobs.started) == 1


def test_an_older_request_that_comes_late_is_superseded():
    world = ControlPlane()
    old = world.event()
    world.start(source=asking("new"))
    reply = world.start(old, source=asking("old"))
    assert reply.type == BUILD_SUPERSEDED
    assert world.record.spec.source.inline == asking("new")["inline"]
    assert len(world.jobs.started) == 1


def test_requests_of_the_same_time_are_ordered_by_their_ids():
    world = ControlPlane()
    time = world.clock.now()
    world.start(world.event(id="b", time=time), handler="main.b")
    reply = world.start(world.event(id="a", time=time), handler="main.a")
    assert reply.type == BUILD_SUPERSEDED
    assert world.record.spec.handler == "main.b"


def test_an_image_that_is_there_needs_no_job():
    world = ControlPlane()
    world.deploy()
    reply = world.start(env=[{"name": "A", "value": "1"}])
    assert reply.type == BUILD_COMPLETE
    assert reply.data.digest == DIGEST
    assert len(world.jobs.started) == 1


def test_a_finished_image_by_digest_needs_no_job():
    world = ControlPlane()
    reply = world.start(source={"image": f"registry/x@{DIGEST}"})
    assert reply.type == BUILD_COMPLETE
    assert not world.jobs.started


def test_an_older_image_of_the_lambda_itself_can_be_deployed_again():
    world = ControlPlane()
    world.deploy()
    reply = world.start(source={"image": f"{IMAGE_PREFIX}/{HELLO}@{DIGEST}"})
    assert reply.type == BUILD_COMPLETE


@pytest.mark.parametrize("other", ["default/other", "other/hello", f"{HELLO}/x", f"{HELLO}:tag"])
def test_an_image_of_another_lambda_is_refused_without_a_record(other):
    """It goes when that lambda is deleted, and may be another tenant's."""
    world = ControlPlane()
    with pytest.raises(UnsupportedSourceError) as refusal:
        world.start(source={"image": f"{IMAGE_PREFIX}/{other}@{DIGEST}"})
    assert refusal.value.field == "source.image"
    assert world.record is None


@pytest.mark.parametrize(
    "registry",
    ["rEGISTRY", "registry:443", "registry:80", "rEgistry:443", "registry:0443", "registry."],
)
def test_an_image_of_another_lambda_is_refused_by_every_name_of_its_registry(registry):
    """Container runtimes take them for the same."""
    world = ControlPlane()
    prefix = IMAGE_PREFIX.replace("registry", registry)
    with pytest.raises(UnsupportedSourceError):
        world.start(source={"image": f"{prefix}/other/hello@{DIGEST}"})
    assert world.record is None


def test_the_address_of_the_control_plane_is_a_name_of_the_registry_too():
    """Nodes may reach it by another one, which begins the names of images."""
    world = ControlPlane()
    world.prepares(image_prefix="localhost:30500/lambdas")
    with pytest.raises(UnsupportedSourceError):
        world.start(source={"image": f"{IMAGE_PREFIX}/other/hello@{DIGEST}"})
    assert world.record is None


def test_another_spelling_of_the_registrys_address_is_a_name_of_it_too():
    world = ControlPlane()
    world.prepares(image_prefix="10.1.0.2:5000/lambdas")
    with pytest.raises(UnsupportedSourceError):
        world.start(source={"image": f"10.1.2:5000/lambdas/other/hello@{DIGEST}"})
    assert world.record is None


@pytest.mark.parametrize(
    "name",
    ["registry//lambdas/other/hello", "registry/x/../lambdas/other/hello", "registry/lambdas//a/b"],
)
def test_an_image_that_container_runtimes_cannot_read_is_refused_without_a_record(name):
    """A lenient server may read it as another lambda's."""
    world = ControlPlane()
    with pytest.raises(UnsupportedSourceError) as refusal:
        world.start(source={"image": f"{name}@{DIGEST}"})
    assert refusal.value.field == "source.image"
    assert world.record is None


def test_a_new_request_after_a_failure_builds_again():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.fail(job, BuildFailure(reason="OutOfMemory", message="", is_users=False))
    world.job_changed(job)
    reply = world.start()
    assert reply.type == BUILD_STARTED
    assert len(world.jobs.started) == 2
    assert world.record.status.phase is Phase.BUILDING


def test_a_redelivery_after_the_failure_does_not_build_again():
    world = ControlPlane()
    event = world.event()
    job = world.start(event).data.job
    world.jobs.fail(job, BuildFailure(reason="Broken", message="", is_users=True))
    world.job_changed(job)
    world.start(event)
    assert len(world.jobs.started) == 1
    assert world.record.status.phase is Phase.FAILED


def test_a_missing_source_is_refused_without_a_record():
    world = ControlPlane()
    with pytest.raises(SourceNotFoundError):
        world.start(source={"uri": "s3://sources/default/gone.zip"})
    assert world.record is None


def test_an_empty_prefix_is_a_missing_source():
    with pytest.raises(SourceNotFoundError):
        ControlPlane().start(source={"uri": "s3://sources/default/none/"})


def test_a_tenant_cannot_read_the_sources_of_another():
    with pytest.raises(UnsupportedSourceError, match="s3://sources/default/ only"):
        ControlPlane().start(source={"uri": "s3://sources/other/code.zip"})


def test_a_source_over_the_limit_is_refused():
    world = ControlPlane()
    world.put_source("s3://sources/default/big.zip", b"x" * 100_001)
    with pytest.raises(LimitExceededError):
        world.start(source={"uri": "s3://sources/default/big.zip"})


def test_an_unknown_runtime_is_refused_with_those_that_are_there():
    with pytest.raises(UnsupportedRuntimeError, match=r"cobol85 .* python3\.11"):
        ControlPlane().start(runtime="cobol85")


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=9999)])
def test_a_request_from_the_future_is_refused(ahead):
    world = ControlPlane()
    with pytest.raises(InvalidEventError) as refused:
        world.start(world.event(time=world.clock.now() + ahead))
    assert refused.value.field == "time"


def test_a_request_without_a_time_is_refused():
    world = ControlPlane()
    with pytest.raises(InvalidEventError):
        world.start(world.event(time=None))


def test_a_request_waits_while_the_lambda_is_being_deleted():
    world = ControlPlane()
    world.start()
    deleting = world.record.status.model_copy(update={"phase": Phase.DELETING})
    world.records.replace_status(world.record.model_copy(update={"status": deleting}))
    with pytest.raises(NotReadyError):
        world.start()


def test_a_request_from_before_the_deletion_does_not_bring_the_lambda_back():
    world = ControlPlane()
    late = world.event()
    world.delete_lambda(world.event(), HELLO)
    assert world.start(late).type == BUILD_SUPERSEDED
    assert world.record is None


def test_a_request_after_the_deletion_makes_the_lambda_again():
    world = ControlPlane()
    world.start()
    world.delete_lambda(world.event(), HELLO)
    assert world.start().type == BUILD_STARTED


def test_a_prefix_becomes_an_archive_that_depends_on_its_contents_only():
    first, second = ControlPlane(), ControlPlane()
    first.put_source("s3://sources/default/p/a.py", b"a")
    first.put_source("s3://sources/default/p/b/c.py", b"c")
    second.put_source("s3://sources/default/q/b/c.py", b"c")
    second.put_source("s3://sources/default/q/a.py", b"a")
    one = first.start(source={"uri": "s3://sources/default/p/"})
    two = second.start(source={"uri": "s3://sources/default/q/"})
    assert one.data.build_id == two.data.build_id


def test_a_single_file_keeps_its_name_in_the_archive_that_publish_reads(tmp_path):
    world = ControlPlane()
    world.put_source("s3://sources/default/greet.py", b"def handler(e): ...")
    build_id = world.start(source={"uri": "s3://sources/default/greet.py"}).data.build_id
    context = tmp_path / "context"
    context.write_bytes(world.storage.objects[f"s3://own/sources/{HELLO}/{build_id}"][0])
    with tarfile.open(context) as tar:
        assert tar.getnames() == ["greet.py"]


def test_what_options_set_is_recorded_with_the_request_and_cleared_by_the_next():
    world = ControlPlane()
    world.start(setFields=["scale.max", "env.A", "env.A"])
    assert world.record.set_fields == ["env.A", "scale.max"]
    world.start()
    assert world.record.set_fields == []


def test_a_redelivery_or_an_older_request_leaves_what_options_set():
    world = ControlPlane()
    old, event = world.event(), world.event()
    for _ in range(2):
        world.start(event, setFields=["env.A"])
    world.start(old)
    assert world.record.set_fields == ["env.A"]


def test_a_request_that_replaces_the_newest_one_is_accepted_as_often_as_it_comes():
    world = ControlPlane()
    first, second = world.event(), world.event()
    world.start(first)
    for _ in range(2):
        assert world.start(second, replaces=first.id, handler="main.b").type == BUILD_STARTED
    assert world.record.spec.handler == "main.b"


def test_a_request_does_not_undo_one_that_its_sender_has_not_seen():
    world = ControlPlane()
    first, deployed, change = world.event(), world.event(), world.event()
    world.start(first)
    world.start(deployed, handler="main.deployed")
    reply = world.start(change, replaces=first.id, handler="main.changed")
    assert reply.type == BUILD_SUPERSEDED
    assert reply.data.accepted_event_id == deployed.id
    assert world.record.spec.handler == "main.deployed"


def test_a_request_that_replaces_another_does_not_bring_a_lambda_back():
    """Not even one that was deleted with kubectl, which leaves no tombstone."""
    world = ControlPlane()
    first, change = world.event(), world.event()
    world.start(first)
    world.records.delete(world.record)
    with pytest.raises(InvalidEventError) as refused:
        world.start(change, replaces=first.id)
    assert refused.value.field == "replaces"
    assert world.record is None


def test_a_request_that_replaces_another_is_superseded_by_a_deletion():
    world = ControlPlane()
    first, change = world.event(), world.event()
    world.start(first)
    world.delete_lambda(world.event(), HELLO)
    assert world.start(change, replaces=first.id).type == BUILD_SUPERSEDED


def test_a_request_that_replaces_another_leaves_a_record_that_cannot_be_read():
    world = ControlPlane()
    world.records.unreadable.add(HELLO)
    with pytest.raises(UnreadableRecordError):
        world.start(replaces="first")
    assert HELLO in world.records.unreadable
