"""The schemas of custom resources: where they come from, and what is checked of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lambda_embedded.schemas import rules
from lambda_embedded.schemas.causes import MOST_CAUSES
from lambda_embedded.schemas.known import Schemas, openapi_schema
from lambda_embedded.schemas.rules import compile_rules
from lambda_embedded.schemas.schema import UnsupportedSchemaError, compile_schema
from lambda_embedded.schemas.structure import check, complete, drop_unknown, is_same
from tests.helpers.dev_overlay import OBJECTS
from tests.helpers.lambda_function_specs import MINIMAL, RIGHT, with_env

REPOSITORY = Path(__file__).parents[3]
SCHEMAS = Schemas()
RECORD = {"metadata": {"name": "hello"}, "spec": MINIMAL}


def faults(value, *old):
    return [
        (cause.field, cause.message) for cause in check(SCHEMAS.of("LambdaFunction"), value, *old)
    ]


def record(**spec):
    return RECORD | {"spec": MINIMAL | spec}


def test_knatives_schemas_are_those_of_the_versions_that_the_testbed_pins():
    pins = (REPOSITORY / "testbed/components/knative/go.mod").read_text()
    folder = REPOSITORY / "embedded/src/lambda_embedded/schemas/knative"
    named = re.findall(r"knative\.dev/(\w+) (v[\d.]+)", (folder / "README.md").read_text())
    assert {module for module, _ in named} == {"serving", "eventing"}
    for module, version in named:
        assert f"knative.dev/{module} {version} " in pins


@pytest.mark.parametrize("kind", ["LambdaFunction", "Service", "Broker", "Trigger"])
def test_every_field_of_a_known_kind_is_described_or_named(kind):
    schema = openapi_schema(kind)
    assert schema["type"] == "object"
    assert {"spec", "status"} <= set(schema["properties"])


def test_a_kind_is_compiled_once():
    assert SCHEMAS.of("Service") is SCHEMAS.of("Service")
    assert SCHEMAS.of("ConfigMap") is None


def test_a_schema_that_says_more_than_is_checked_is_rejected():
    with pytest.raises(UnsupportedSchemaError, match=r"\.a\[\]: multipleOf"):
        compile_schema({"properties": {"a": {"items": {"multipleOf": 2}}}})


@pytest.mark.parametrize(
    "item",
    [item for item in OBJECTS if SCHEMAS.of(item["kind"])],
    ids=lambda item: f"{item['kind']} {item['metadata']['name']}",
)
def test_our_own_configuration_keeps_to_the_schemas(item):
    schema = SCHEMAS.of(item["kind"])
    if item["kind"] == "Service" and item["apiVersion"] == "v1":
        return
    parts = {"spec": item["spec"]}
    assert list(drop_unknown(schema, parts)) == []
    assert check(schema, parts) == []


def test_what_was_wrong_and_stays_is_no_fault():
    old = record(timeoutSeconds="30", scale={"min": 2, "max": 1})
    assert faults(old)
    assert faults(old | {"status": {"phase": "Ready"}}, old) == []
    assert faults(RECORD | {"spec": old["spec"] | {"runtime": "python3.12"}}, old) == []
    assert [field for field, _ in faults(record(timeoutSeconds="31"), old)][:1] == [
        "spec.timeoutSeconds"
    ]


def test_a_record_that_is_older_than_a_rule_can_still_be_changed_elsewhere():
    reference = {"name": "knative-lambda-pull", "key": "k", "optional": False}
    old = RECORD | {"spec": with_env({"name": "A", "secretKeyRef": reference})}
    assert [field for field, _ in faults(old)] == ["spec.env[0].secretKeyRef.name"]
    assert faults(old | {"status": {"phase": "Ready"}}, old) == []
    more = with_env({"name": "B", "value": ""}, *old["spec"]["env"])
    assert faults(RECORD | {"spec": more}, old) == []
    again = with_env(*old["spec"]["env"], {"name": "B", "secretKeyRef": reference})
    assert [field for field, _ in faults(RECORD | {"spec": again}, old)] == [
        "spec.env[1].secretKeyRef.name"
    ]


def test_a_record_that_never_had_a_spec_can_still_be_changed():
    old = {"metadata": {"name": "hello"}}
    assert faults(old | {"status": {"phase": "Failed"}}, old) == []


def test_items_are_compared_by_their_keys():
    old = RECORD | {"spec": with_env({"name": "A", "value": 1}, {"name": "B", "value": "1"})}
    new = RECORD | {"spec": with_env({"name": "B", "value": "2"}, {"name": "A", "value": 1})}
    assert faults(new, old) == []


@pytest.mark.parametrize("pair", [(1, True), (0, False), ([1], [True]), ({"a": 1}, {"a": True})])
def test_a_truth_is_not_a_number(pair):
    assert not is_same(*pair)
    assert is_same(pair[0], pair[0])


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_spec_keeps_to_the_schema(name):
    item = {"metadata": {"name": "hello"}, "spec": dict(RIGHT[name])}
    complete(SCHEMAS.of("LambdaFunction"), item)
    assert faults(item) == []


def test_a_default_is_the_objects_own():
    schema, one, other = SCHEMAS.of("LambdaFunction"), {"spec": {}}, {"spec": {}}
    complete(schema, one)
    one["spec"]["env"].append({"name": "A"})
    complete(schema, other)
    assert other["spec"]["env"] == []


def test_a_fault_shows_the_beginning_of_a_long_value():
    (fault,) = faults(record(runtime="A" * 30, handler="/" * 200))[1:]
    assert len(fault[1]) < 350


@pytest.mark.parametrize("text", ["\ud800", "a\n", "", "a/../b"])
def test_a_path_that_cannot_be_breaks_a_rule(text):
    assert faults(record(source={"inline": {text: ""}}))


@pytest.mark.parametrize(
    ("rule", "reads"),
    [
        ("self.min <= self.max", {"min", "max"}),
        ("!has(self.a) || self.a.b.size() < 3", {"a"}),
        ("self.all(name, name != '')", None),
        ("self.a == 1 && self.size() < 3", None),
        ("self == 1", None),
        ("[self, self.a].size() == 2", None),
        ("'self.a' == self.b", {"a", "b"}),
    ],
)
def test_a_rule_is_shown_the_fields_that_it_looks_at(rule, reads):
    (compiled,) = compile_rules([{"rule": rule}])
    assert compiled.reads == reads
    value = {"a": 1, "b": 2, "min": 3, "c": 4}
    assert compiled.part(value) == (
        value if reads is None else {k: value[k] for k in reads & value.keys()}
    )


def test_rules_that_cannot_be_evaluated_are_said_to_be_left_out(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    monkeypatch.setattr(rules, "_environment", rules._environment.__wrapped__)
    assert compile_rules([{"rule": "self.a == 1"}]) == ()
    assert "rules in CEL are not checked" in caplog.text


def test_unknown_fields_that_were_there_before_are_dropped_and_not_told():
    schema = compile_schema({"type": "object", "properties": {"a": {"type": "object"}}})
    old = {"a": {"was": 1}}
    value = {"a": {"was": 2, "new": 1}}
    assert list(drop_unknown(schema, value, old)) == ["a.new"]
    assert value == {"a": {}}
    # As a patched object does, this one shares its parts with the old one.
    assert list(drop_unknown(schema, old, old)) == []
    assert old == {"a": {}}


def test_a_value_of_another_shape_is_not_looked_into_for_unknown_fields():
    schema = compile_schema({"type": "object", "additionalProperties": {"type": "string"}})
    value = {"a": {"b": 1}}
    assert list(drop_unknown(schema, value)) == []
    assert value == {"a": {"b": 1}}
    assert [cause.field for cause in check(schema, value)] == ["a"]


def test_the_paths_of_fields_are_cut_where_their_names_are_long():
    schema = compile_schema(
        {"type": "object", "additionalProperties": {"type": "object", "required": ["x"]}}
    )
    name = "n" * 10_000
    (told,) = drop_unknown(schema, {name: {name: 1}})
    (fault,) = check(schema, {name: {}})
    assert max(len(told), len(fault.field), len(str(fault)) - len(fault.message)) < 250
    assert told.endswith("...")


def test_no_more_faults_are_found_than_people_read():
    schema = compile_schema({"type": "array", "items": {"type": "object", "required": ["x"]}})
    assert len(check(schema, [{}] * 1000)) == MOST_CAUSES
    ruled = {"type": "array", "items": {"type": "object", "x-kubernetes-validations": [
        {"rule": "has(self.x)", "message": "needs x"}]}}  # fmt: skip
    assert len(check(compile_schema(ruled), [{}] * 200)) <= MOST_CAUSES
