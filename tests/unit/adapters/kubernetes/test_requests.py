"""Which request a custom resource stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from knative_lambda.adapters.kubernetes.functions import read_record
from knative_lambda.adapters.kubernetes.requests import read_request, request_annotations
from knative_lambda.domain.errors import UnreadableRecordError
from knative_lambda.domain.lambda_function import RequestStamp

MORNING, NOON, EVENING = "2026-01-01T09:00:00Z", "2026-01-01T12:00:00Z", "2026-01-01T18:00:00Z"
EVENT = RequestStamp(time=datetime(2026, 1, 1, 12, 0, tzinfo=UTC), event_id="event-1")
REDEPLOY = "knative-lambda.dev/redeploy"


def written(manager, at, *, fields=None, **more):
    return {"manager": manager, "time": at, "fieldsV1": fields or {"f:spec": {}}, **more}


def record(*, annotations=None, managed=(), generation=1, status=None):
    metadata = {
        "uid": "u",
        "generation": generation,
        "creationTimestamp": MORNING,
        "annotations": annotations or {},
        "managedFields": list(managed),
    }
    return {"metadata": metadata, "spec": {}, "status": status or {}}


def time_of(item):
    return read_request(item).stamp.time.isoformat().replace("+00:00", "Z")


def test_a_new_record_is_as_old_as_itself():
    assert time_of(record()) == MORNING


def test_the_time_is_that_of_the_last_write_of_a_spec_by_somebody_else():
    managed = [written("kubectl", NOON), written("argocd", EVENING)]
    assert time_of(record(managed=managed)) == EVENING


@pytest.mark.parametrize(
    "entry",
    [
        written("knative-lambda", EVENING),
        written("kubectl", EVENING, subresource="status"),
        written("kubectl", EVENING, fields={"f:metadata": {"f:labels": {"f:a": {}}}}),
        written("kubectl", None),
    ],
    ids=["of the platform", "of the status", "of a label", "at no time"],
)
def test_a_write_that_makes_no_request_does_not_count(entry):
    assert time_of(record(managed=[written("kubectl", NOON), entry])) == NOON


def test_a_write_of_the_annotation_redeploy_counts():
    fields = {"f:metadata": {"f:annotations": {f"f:{REDEPLOY}": {}}}}
    assert time_of(record(managed=[written("kubectl", EVENING, fields=fields)])) == EVENING


def test_a_change_in_the_second_of_an_event_is_newer_than_the_event():
    left = request_annotations(EVENT, 1, {})
    changed = record(annotations=left, generation=2, managed=[written("kubectl", MORNING)])
    assert EVENT.is_older_than(read_request(changed).stamp)


def test_later_generations_are_newer_in_the_order_of_texts_too():
    ids = [read_request(record(generation=each)).stamp.event_id for each in (2, 9, 10, 100)]
    assert ids == sorted(ids)


def test_a_label_set_later_does_not_make_a_request_that_is_built_another_one():
    before = read_request(record(managed=[written("kubectl", NOON)])).stamp
    build = {"wishId": before.event_id, "wishTime": before.time.isoformat()}
    after = record(managed=[written("kubectl", EVENING)], status={"build": build})
    assert read_request(after).stamp == before


def test_a_value_of_redeploy_may_be_long_and_is_not_repeated():
    stamp = read_request(record(annotations={REDEPLOY: "x" * 100_000})).stamp
    assert len(stamp.event_id) < 100


def test_what_an_event_of_an_older_version_wrote_is_its_request_once_it_is_taken_up():
    old = request_annotations(EVENT, 1, {})
    del old["knative-lambda.dev/request-state"]
    status = {"observedGeneration": 1, "build": {"wishId": "event-1"}}
    assert read_request(record(annotations=old, status=status)).stamp == EVENT
    changed = record(annotations=old, status=status, generation=2)
    assert read_request(changed).stamp != EVENT
    again = record(annotations={**old, REDEPLOY: "1"}, status=status)
    assert read_request(again).stamp != EVENT


def test_a_time_that_is_none_is_an_error():
    wrong = {"knative-lambda.dev/wish-id": "a", "knative-lambda.dev/wish-time": "soon"}
    with pytest.raises(ValidationError):
        read_request(record(annotations=wrong))


@pytest.mark.parametrize("state", ["000001", "another"])
@pytest.mark.parametrize(
    "time",
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:00:00-23:00", "0001-01-01T00:00:00+23:00"],
)
def test_a_time_beyond_all_times_makes_one_record_unreadable_and_breaks_no_list(time, state):
    """Anybody who may write a record may write its annotations; cleanup reads all records."""
    item = record(
        annotations={
            "knative-lambda.dev/wish-id": "made-up",
            "knative-lambda.dev/wish-time": time,
            "knative-lambda.dev/request-state": state,
        }
    )
    item["metadata"] |= {"namespace": "tenant", "name": "hostile", "resourceVersion": "1"}
    with pytest.raises(UnreadableRecordError, match="time"):
        read_record(item)


def test_fields_that_somebody_owns_may_have_any_shape():
    managed = [written("kubectl", EVENING, fields={"f:metadata": "text"})]
    assert time_of(record(managed=managed)) == MORNING


def test_half_a_surrogate_pair_in_an_annotation_is_a_value_like_others():
    assert read_request(record(annotations={REDEPLOY: "\ud800"})).stamp.event_id.startswith(
        "u/000001/"
    )
