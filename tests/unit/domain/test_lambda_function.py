import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knative_lambda.domain.lambda_function import (
    STORED,
    BuildStatus,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    RequestStamp,
)

INLINE = {"inline": {"main.py": "def handler(event): ..."}}
DIGEST = "sha256:" + "d" * 64
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def spec(**fields):
    return LambdaFunctionSpec.model_validate({"source": INLINE, "runtime": "python3.11"} | fields)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"source": {}}, "source", "exactly one of uri, inline, image"),
        ({"source": INLINE | {"uri": "s3://b/k"}}, "source", "exactly one"),
        ({"source": {"uri": ""}}, "source.uri", "at least 1"),
        ({"source": {"uri": "s3://b/" + "k" * 2048}}, "source.uri", "at most 2048"),
        ({"source": {"uri": "s3://b/\ud800"}}, "source.uri", "unicode"),
        ({"source": {"inline": {}}}, "source.inline", "1 to 1000 files"),
        ({"source": {"inline": dict.fromkeys(map(str, range(1001)), "")}}, "source.inline", "1000"),
        ({"source": {"inline": {"/a": ""}}}, "source.inline", "'/a' is not a relative path"),
        ({"source": {"inline": {"a/../b": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"./a": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a/": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a//b": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a\\b": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a\x00": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"": ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a/.wh.b": ""}}}, "source.inline", "begins with .wh."),
        ({"source": {"inline": {".wh..wh..opq/b": ""}}}, "source.inline", "begins with .wh."),
        ({"source": {"inline": {"a" * 256: ""}}}, "source.inline", "relative path"),
        ({"source": {"inline": {"a": "", "a/b": ""}}}, "source.inline", "both a file and a folder"),
        ({"source": {"inline": {"a/b/c": "", "a": ""}}}, "source.inline", "'a' cannot be both"),
        ({"source": {"inline": {"a": "\ud800"}}}, "source.inline.a", "not valid Unicode"),
        ({"source": {"inline": {"\udfff": ""}}}, "source.inline", "not valid Unicode"),
        ({"source": {"image": "registry/x:latest"}}, "source.image", "pattern"),
        ({"source": {"uri": "https://a.b/c.zip"}}, "source", "needs sha256, because"),
        ({"source": {"uri": "s3://b/k", "sha256": "a"}}, "source.sha256", "pattern"),
        ({"source": {"uri": "s3://b/k/", "sha256": "a" * 64}}, "source", "sha256, which is for"),
        ({"source": {"inline": {"a": ""}, "sha256": "a" * 64}}, "source", "sha256, which is for"),
        ({"source": {"uri": "s3://b/k", "secretRef": {"name": "a"}}}, "source", "secretRef, which"),
        ({"source": {"uri": "git+https://u@a.b/c"}}, "source", "put them into a Secret"),
        (
            {"source": {"uri": "git+https://a.b/c", "secretRef": {"name": "knative-lambda-x"}}},
            "source.secretRef.name",
            "begins with knative-lambda-",
        ),
        ({"runtime": "Python"}, "runtime", "pattern"),
        ({"runtime": "python3.11\n"}, "runtime", "pattern"),
        ({"runtime": "p" + "1" * 32}, "runtime", "at most 32"),
        ({"handler": "main"}, "handler", "pattern"),
        ({"handler": "main.handler()"}, "handler", "pattern"),
        ({"signature": "grpc"}, "signature", "'cloudevent' or 'http'"),
        ({"env": [{"name": "A"}]}, "env.0", "exactly one of value, secretKeyRef"),
        (
            {"env": [{"name": "A", "secretKeyRef": {"name": "knative-lambda-pull", "key": "k"}}]},
            "env.0.secretKeyRef.name",
            "put what the function needs into a Secret with another name",
        ),
        ({"env": [{"name": "1A", "value": ""}]}, "env.0.name", "pattern"),
        ({"env": [{"name": "PORT", "value": "1"}]}, "env.0", "set by the platform"),
        ({"env": [{"name": "HOST", "value": "1"}]}, "env.0", "set by the platform"),
        ({"env": [{"name": "K_SERVICE", "value": "1"}]}, "env.0", "set by the platform"),
        ({"env": [{"name": "FUNCTION_HANDLER", "value": "1"}]}, "env.0", "set by the platform"),
        ({"env": [{"name": "KN_LAMBDA_EMBEDDED", "value": "1"}]}, "env.0", "set by the platform"),
        ({"env": [{"name": "A", "value": "a\x00b"}]}, "env.0.value", "pattern"),
        ({"env": [{"name": "A", "value": "\ud800"}]}, "env.0.value", "Unicode"),
        ({"env": [{"name": "A", "value": "1"}] * 2}, "env", "A is there twice"),
        ({"env": [{"name": "A", "value": "1"}] * 201}, "env", "at most 200"),
        (
            {"env": [{"name": "A", "secretKeyRef": {"name": "Not A Name", "key": "k"}}]},
            "env.0.secretKeyRef.name",
            "pattern",
        ),
        (
            {"env": [{"name": "A", "configMapKeyRef": {"name": "n", "key": "a/b"}}]},
            "env.0.configMapKeyRef.key",
            "pattern",
        ),
        ({"scale": {"min": 2, "max": 1}}, "scale", "min must not be above max"),
        ({"scale": {"min": -1}}, "scale.min", "greater than or equal to 0"),
        ({"scale": {"max": 10**5000}}, "scale.max", "less than or equal to 1000"),
        ({"scale": {"concurrency": 0}}, "scale.concurrency", "greater than or equal to 1"),
        ({"scale": {"target": float("nan")}}, "scale.target", "valid integer"),
        (
            {"resources": {"limits": {"cpu": "lots"}}},
            "resources.limits.cpu",
            "must be a quantity such as 500m",
        ),
        (
            {"resources": {"limits": {"cpu": "1" * 21}}},
            "resources.limits.cpu",
            "up to 20 characters",
        ),
        ({"timeoutSeconds": 0}, "timeoutSeconds", "greater than or equal to 1"),
        ({"timeoutSeconds": 601}, "timeoutSeconds", "less than or equal to 600"),
        ({"subscriptions": [{}]}, "subscriptions", "would take every event"),
        ({"subscriptions": [{"Type": "a"}]}, "subscriptions", "not the name of a CloudEvents"),
        ({"subscriptions": [{"data": "a"}]}, "subscriptions", "not the name of a CloudEvents"),
        ({"subscriptions": [{"type": ""}]}, "subscriptions", "type needs a value"),
        ({"subscriptions": [{"type": "a\nb"}]}, "subscriptions", "printable"),
        ({"subscriptions": [{"type": "\ud800"}]}, "subscriptions.0.type", "Unicode"),
        ({"subscriptions": [{"type": "a"}] * 21}, "subscriptions", "at most 20"),
        ({"replicas": 3}, "replicas", "Extra inputs"),
    ],
)
def test_a_wrong_request_is_refused_with_the_field_and_the_rule(fields, field, says):
    with pytest.raises(ValidationError) as refused:
        spec(**fields)
    error = refused.value.errors()[0]
    assert ".".join(map(str, error["loc"])).startswith(field)
    assert says in error["msg"]


def test_a_request_has_the_defaults_of_the_design():
    requested = spec()
    assert (requested.signature, requested.handler, requested.timeout_seconds) == (
        "cloudevent",
        None,
        60,
    )
    scale = requested.scale
    assert (scale.min, scale.max, scale.target, scale.concurrency) == (0, 50, 10, 10)
    assert scale.burst_capacity is None


@pytest.mark.parametrize(
    "source",
    [
        {"uri": "s3://bucket/code.zip"},
        {"uri": "s3://bucket/a b?c#d%zz/\N{SNOWMAN}"},
        {"inline": {"a/b.py": "x", "a/c.py": "\x00 \N{GRINNING FACE}", "a.py": ""}},
        {"image": f"registry:5000/a/b@{DIGEST}"},
    ],
)
def test_every_kind_of_source_is_taken_and_written_as_it_came(source):
    assert spec(source=source).to_json()["source"] == source


@pytest.mark.parametrize(
    "fields",
    [
        {"env": [{"name": "A", "secretKeyRef": {"name": "knative-lambda-pull", "key": "k"}}]},
        {"subscriptions": [{"data": "a"}]},
    ],
)
def test_a_record_from_before_a_rule_can_be_read(fields):
    written = {"source": INLINE, "runtime": "python3.11", **fields}
    LambdaFunctionSpec.model_validate(written, context=STORED)
    with pytest.raises(ValidationError):
        LambdaFunctionSpec.model_validate(written)


def test_names_in_json_are_those_of_the_custom_resource():
    fields = {
        "timeoutSeconds": 5,
        "env": [
            {"name": "A", "secretKeyRef": {"name": "s.x", "key": "k_1.y", "optional": False}},
            {"name": "B", "value": ""},
        ],
        "subscriptions": [{"type": "com.example.a", "source": "/\N{SNOWMAN}"}],
    }
    written = spec(**fields).to_json()
    assert fields.items() <= written.items()
    assert LambdaFunctionSpec.model_validate(written) == spec(**fields)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(source=anything, env=anything, subscriptions=anything)
def test_any_json_is_a_request_or_is_refused(source, env, subscriptions):
    with contextlib.suppress(ValidationError):
        spec(source=source, env=env, subscriptions=subscriptions)


def test_a_newer_control_plane_may_have_written_more():
    status = LambdaFunctionStatus.model_validate(
        {"phase": "Ready", "new": 1, "build": {"id": "b", "wishId": "w", "newer": True}}
    )
    assert status.build.id == "b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            RequestStamp(time=NOON, event_id="b"),
            RequestStamp(time=NOON + timedelta(microseconds=1), event_id="a"),
        ),
        (RequestStamp(time=NOON, event_id="a"), RequestStamp(time=NOON, event_id="b")),
    ],
    ids=["by time", "by id where the times are equal"],
)
def test_requests_are_in_one_order(one, other):
    assert one.is_older_than(other)
    assert not other.is_older_than(one)
    assert not one.is_older_than(one)


def test_a_build_serves_one_request_even_where_ids_are_used_twice():
    first = RequestStamp(time=NOON, event_id="1")
    second = RequestStamp(time=NOON + timedelta(seconds=1), event_id="1")
    build = BuildStatus(id="b", request_id=first.event_id, request_time=first.time)
    assert build.serves(first)
    assert not build.serves(second)
    assert first.key != second.key


def test_the_key_of_a_request_does_not_depend_on_how_its_time_is_written():
    there = datetime.fromisoformat("2026-01-01T14:00:00+02:00")
    assert RequestStamp(time=NOON, event_id="1").key == RequestStamp(time=there, event_id="1").key
