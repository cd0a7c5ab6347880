"""The contract of the port LambdaFunctions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS
from knative_lambda.domain.errors import ConflictError, PermanentError, RejectedByPlatformError
from knative_lambda.domain.lambda_function import (
    BuildStatus,
    LambdaFunctionStatus,
    Phase,
    RequestStamp,
)
from knative_lambda.domain.names import FunctionId
from tests.contract.helpers.records import NOON, record, spec


def with_phase(stored, phase):
    status = stored.status.model_copy(update={"phase": phase})
    return stored.model_copy(update={"status": status})


def newer_request(stored, **fields):
    stamp = RequestStamp(time=stored.stamp.time + timedelta(microseconds=1), event_id="event-2")
    return stored.model_copy(update={"spec": spec(**fields), "stamp": stamp})


def test_an_unknown_record_is_none(platform):
    assert platform.records.get(FunctionId(platform.namespace, "nobody")) is None


def test_what_is_created_is_read_back(platform):
    created = platform.records.create(record(platform))
    assert platform.records.get(created.id) == created
    assert created.spec == spec()
    assert created.stamp == RequestStamp(time=NOON, event_id="event-1")
    assert (created.generation, created.deleting) == (1, False)
    assert created.uid
    assert created.resource_version


@pytest.mark.parametrize(
    "text", ["two words", "näme/§", "\N{GRINNING FACE}" * 100, "a" * 2048, "%41=b,c;'\"<>"]
)
def test_any_id_of_an_event_and_any_text_survive(platform, text):
    fields = {
        "source": {"inline": {"a/ü b.py": f"{text}\n\t\x00"}},
        "env": [{"name": "A", "value": text}],
    }
    created = platform.records.create(record(platform, event_id=text, **fields))
    assert platform.records.get(created.id) == created
    assert created.stamp.event_id == text
    assert created.spec == spec(**fields)


def test_a_record_is_created_once(platform):
    platform.records.create(record(platform))
    with pytest.raises(ConflictError):
        platform.records.create(record(platform))


def test_a_new_request_is_a_new_generation_and_leaves_the_status_alone(platform):
    created = platform.records.create(record(platform))
    built = platform.records.replace_status(with_phase(created, Phase.READY))
    written = platform.records.replace_request(
        newer_request(with_phase(built, Phase.FAILED), handler="a.b")
    )
    assert written.generation == 2
    assert written.status.phase is Phase.READY
    assert platform.records.get(created.id) == written
    assert (written.spec.handler, written.stamp.event_id) == ("a.b", "event-2")


def test_what_options_set_is_written_with_each_request_and_kept_by_a_status(platform):
    paths = ["env.A", "resources.limits.memory"]
    created = platform.records.create(record(platform).model_copy(update={"set_fields": paths}))
    assert created.set_fields == paths
    built = platform.records.replace_status(with_phase(created, Phase.READY))
    assert built.set_fields == paths
    written = platform.records.replace_request(
        newer_request(built).model_copy(update={"set_fields": []})
    )
    assert platform.records.get(created.id) == written
    assert (written.set_fields, written.generation) == ([], 1)


def test_a_request_for_the_same_spec_is_the_same_generation(platform):
    created = platform.records.create(record(platform))
    assert platform.records.replace_request(newer_request(created)).generation == 1


def test_a_source_of_another_kind_replaces_the_one_before(platform):
    created = platform.records.create(record(platform))
    written = platform.records.replace_request(newer_request(created, source={"uri": "s3://b/k"}))
    assert written.spec.source.inline is None


def test_a_status_is_all_that_a_status_write_changes(platform):
    created = platform.records.create(record(platform))
    status = LambdaFunctionStatus(
        phase=Phase.BUILDING,
        build=BuildStatus(
            id="b", request_id="event-1", request_time=NOON, job="j", started_at=NOON
        ),
    )
    changed = created.model_copy(update={"status": status, "spec": spec(handler="a.b")})
    written = platform.records.replace_status(changed)
    assert platform.records.get(created.id) == written
    assert written.status == status
    assert (written.spec, written.generation) == (created.spec, 1)


@pytest.mark.parametrize("write", ["replace_request", "replace_status"])
def test_who_writes_what_is_out_of_date_is_told(platform, write):
    created = platform.records.create(record(platform))
    platform.records.replace_status(with_phase(created, Phase.BUILDING))
    with pytest.raises(ConflictError):
        getattr(platform.records, write)(with_phase(newer_request(created), Phase.READY))
    assert platform.records.get(created.id).status.phase is Phase.BUILDING


@pytest.mark.parametrize("write", ["replace_request", "replace_status"])
def test_who_writes_what_is_gone_is_told(platform, write):
    created = platform.records.create(record(platform))
    platform.records.delete(created)
    with pytest.raises(ConflictError):
        getattr(platform.records, write)(with_phase(created, Phase.READY))


def test_a_record_is_deleted_as_often_as_asked(platform):
    created = platform.records.create(record(platform))
    for _ in range(2):
        platform.records.delete(created)
    assert platform.records.get(created.id) is None


def test_a_deletion_means_this_record_and_not_its_successor(platform):
    first = platform.records.create(record(platform))
    platform.records.delete(first)
    second = platform.records.create(record(platform))
    platform.records.delete(first)
    assert platform.records.get(first.id) == second


def test_all_records_are_listed(platform):
    names = ["one", "other"]
    for name in names:
        platform.records.create(record(platform, name))
    listed = [r.id.name for r in platform.records.list() if r.id.namespace == platform.namespace]
    assert sorted(listed) == names


def test_a_lambda_of_a_tenant_that_was_never_set_up_is_refused_for_good(kubernetes):
    stranger = record(kubernetes).model_copy(update={"id": FunctionId("no-such-tenant", "hello")})
    with pytest.raises(PermanentError) as refused:
        kubernetes.records.create(stranger)
    assert refused.value.field == "subject"


def raw_record(kubernetes, name, spec_):
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": kubernetes.namespace},
        "spec": spec_,
    }


def by_hand(kubernetes, **fields):
    item = raw_record(kubernetes, "by-hand", spec(**fields).to_json())
    kubernetes.hands.api.create(LAMBDA_FUNCTIONS, item)
    return FunctionId(kubernetes.namespace, "by-hand")


def merged(kubernetes, function, change):
    kubernetes.hands.api.merge(LAMBDA_FUNCTIONS, function.namespace, function.name, change)
    return kubernetes.records.get(function)


def redeployed(kubernetes, function, value):
    annotations = {"knative-lambda.dev/redeploy": value}
    return merged(kubernetes, function, {"metadata": {"annotations": annotations}})


def taken_up(kubernetes, record_):
    """Write what build-start writes once it has made something of a request."""
    build = BuildStatus(id="b", request_id=record_.stamp.event_id, request_time=record_.stamp.time)
    update = {"build": build, "observed_generation": record_.generation}
    status = record_.status.model_copy(update=update)
    return kubernetes.records.replace_status(record_.model_copy(update={"status": status}))


def test_a_record_made_by_hand_is_a_request_of_its_own(kubernetes):
    read = kubernetes.records.get(by_hand(kubernetes))
    assert read.is_applied
    assert not read.is_observed
    assert read.stamp.event_id == f"{read.uid}/000001"
    assert abs(read.stamp.time - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_status_makes_no_request_and_a_spec_and_redeploy_make_one(kubernetes):
    function = by_hand(kubernetes)
    first = taken_up(kubernetes, kubernetes.records.get(function))
    assert first.is_observed
    assert merged(kubernetes, function, {"metadata": {"labels": {"a": "b"}}}).is_observed
    changed = merged(kubernetes, function, {"spec": {"handler": "a.b"}})
    assert not changed.is_observed
    assert taken_up(kubernetes, changed).is_observed
    again = redeployed(kubernetes, function, "one")
    assert not again.is_observed
    assert taken_up(kubernetes, again).is_observed
    assert redeployed(kubernetes, function, "one").is_observed
    assert not redeployed(kubernetes, function, "two").is_observed


def test_a_change_by_hand_after_an_event_is_a_request_and_newer_than_the_event(kubernetes):
    created = kubernetes.records.create(record(kubernetes))
    assert not created.is_applied
    assert taken_up(kubernetes, created).is_observed
    changed = merged(kubernetes, created.id, {"spec": {"handler": "a.b"}})
    assert changed.is_applied
    assert not changed.is_observed
    assert created.stamp.is_older_than(changed.stamp)
    assert changed.event_stamp == created.stamp


def test_an_event_after_a_change_by_hand_is_the_newest_request_and_leaves_the_rest(kubernetes):
    function = by_hand(kubernetes)
    redeployed(kubernetes, function, "one")
    read = merged(kubernetes, function, {"metadata": {"labels": {"team": "a"}}})
    written = kubernetes.records.replace_request(newer_request(read, handler="a.b"))
    assert not written.is_applied
    assert kubernetes.records.get(function) == written
    item = kubernetes.hands.api.get(LAMBDA_FUNCTIONS, function.namespace, function.name)
    assert item["metadata"]["labels"]["team"] == "a"
    assert item["metadata"]["annotations"]["knative-lambda.dev/redeploy"] == "one"


def test_an_event_that_asks_for_what_is_there_is_a_request_though_nothing_changes(kubernetes):
    read = kubernetes.records.get(by_hand(kubernetes, env=[{"name": "A", "value": "1"}]))
    written = kubernetes.records.replace_request(
        newer_request(read, env=[{"name": "A", "value": "1"}])
    )
    assert not written.is_applied
    assert written.generation == 1


def test_packages_are_refreshed_by_a_redeploy_that_says_so(kubernetes):
    function = by_hand(kubernetes)
    assert not redeployed(kubernetes, function, "one").refresh
    both = {f"knative-lambda.dev/{name}": "two" for name in ("redeploy", "refresh")}
    assert merged(kubernetes, function, {"metadata": {"annotations": both}}).refresh
    assert not redeployed(kubernetes, function, "three").refresh


def test_a_record_is_reported_again_by_a_change_that_is_no_request(kubernetes):
    function = by_hand(kubernetes)
    before = taken_up(kubernetes, kubernetes.records.get(function))
    kubernetes.records.remind(function, datetime.now(UTC))
    after = kubernetes.records.get(function)
    assert after.is_observed
    assert after.resource_version != before.resource_version
    kubernetes.records.remind(FunctionId(function.namespace, "nobody"), datetime.now(UTC))


def test_a_record_that_can_be_read_is_not_refused(kubernetes):
    function = by_hand(kubernetes)
    before = kubernetes.records.get(function)
    kubernetes.records.refuse(function, datetime.now(UTC))
    kubernetes.records.refuse(FunctionId(function.namespace, "nobody"), datetime.now(UTC))
    assert kubernetes.records.get(function) == before


def test_of_an_annotation_by_hand_only_fields_that_options_set_are_read(kubernetes):
    item = raw_record(kubernetes, "by-hand", spec().to_json())
    paths = "env.B,source.uri,env.1,,env.A,scale.max,env.A,status.phase,../etc"
    item["metadata"]["annotations"] = {"knative-lambda.dev/set-fields": paths}
    kubernetes.hands.api.create(LAMBDA_FUNCTIONS, item)
    read = kubernetes.records.get(FunctionId(kubernetes.namespace, "by-hand"))
    assert read.set_fields == ["env.A", "env.B", "scale.max"]


def test_a_record_that_no_lambda_can_be_is_told_and_does_not_hide_the_others(kubernetes):
    kubernetes.records.create(record(kubernetes))
    broken = raw_record(kubernetes, "broken", {"runtime": 5})
    try:
        kubernetes.hands.api.create(LAMBDA_FUNCTIONS, broken)
    except RejectedByPlatformError:
        return  # where the schema is enforced there never is one
    with pytest.raises(PermanentError, match="broken cannot be read"):
        kubernetes.records.get(FunctionId(kubernetes.namespace, "broken"))
    listed = [
        r.id.name for r in kubernetes.records.list() if r.id.namespace == kubernetes.namespace
    ]
    assert listed == ["hello"]
