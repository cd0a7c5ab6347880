"""Records that are wrong are refused alike, word for word, by every Kubernetes API."""

from __future__ import annotations

import uuid

import pytest

from tests.contract.helpers.kubernetes_apis import KUBERNETES_APIS
from tests.helpers.lambda_function_specs import MINIMAL, RIGHT, WRONG, with_env
from tests.helpers.raw_api import APPLY, MERGE, RawApi

RECORDS = "knative-lambda.dev/lambdafunctions"
SERVICES = "serving.knative.dev/services"
BROKERS = "eventing.knative.dev/brokers"
# Where kube-apiserver has no rules to ask, it says so, as of a field without a name.
UNCHECKED = (
    "<nil>",
    "FieldValueInvalid",
    (
        "Invalid value: null: some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation"
    ),
)
WRONG_TYPE = 'Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'


@pytest.fixture(scope="module", params=KUBERNETES_APIS)
def api(request):
    kubeconfig, _ = request.getfixturevalue(f"{request.param}_api")
    api = RawApi(kubeconfig, f"schemas-{uuid.uuid4().hex[:10]}")
    made = api.send_to("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}})
    assert made.code == 201, made
    return api


def record(spec, name="hello", **metadata):
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def service(spec, *containers):
    spec = {**spec, "containers": list(containers)} if containers else spec
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {"template": {"spec": spec}},
    }


def create(api, path, item, query="?dryRun=All"):
    return api.send("POST", path + query, item)


def stored(api, spec=MINIMAL):
    name = f"f-{uuid.uuid4().hex[:10]}"
    answer = api.send("POST", RECORDS, record(spec, name))
    assert answer.code == 201, answer
    return answer.body


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_spec_is_taken(api, name):
    assert create(api, RECORDS, record(RIGHT[name])).code == 201


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_spec_is_refused(api, name):
    answer = create(api, RECORDS, record(WRONG[name]))
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].startswith('LambdaFunction.knative-lambda.dev "hello" is invalid')
    assert answer.faults


def test_a_record_without_a_spec_is_refused(api):
    item = record(MINIMAL)
    del item["spec"]
    answer = create(api, RECORDS, item)
    assert answer.code == 422
    assert answer.faults == {("spec", "FieldValueRequired", "Required value"), UNCHECKED}


FAULTS = {
    "no runtime": ({"source": MINIMAL["source"]},
        [("spec.runtime", "FieldValueRequired", "Required value"), UNCHECKED]),
    "a time of another type": (MINIMAL | {"timeoutSeconds": "30"},
        [("spec.timeoutSeconds", "FieldValueTypeInvalid",
          'Invalid value: "string": spec.timeoutSeconds in body must be of type integer: "string"'),
         UNCHECKED]),
    "a time that is true": (MINIMAL | {"timeoutSeconds": True},
        [("spec.timeoutSeconds", "FieldValueTypeInvalid",
          WRONG_TYPE.format(field="spec.timeoutSeconds", wanted="integer", found="boolean")),
         UNCHECKED]),
    "a scale that is text": (MINIMAL | {"scale": {"min": "1"}},
        [("spec.scale.min", "FieldValueTypeInvalid",
          'Invalid value: "string": spec.scale.min in body must be of type integer: "string"'),
         UNCHECKED]),
    "too little time": (MINIMAL | {"timeoutSeconds": 0},
        [("spec.timeoutSeconds", "FieldValueInvalid",
          "Invalid value: 0: spec.timeoutSeconds in body should be greater than or equal to 1")]),
    "too much time": (MINIMAL | {"timeoutSeconds": 601},
        [("spec.timeoutSeconds", "FieldValueInvalid",
          "Invalid value: 601: spec.timeoutSeconds in body should be less than or equal to 600")]),
    "an unknown signature": (MINIMAL | {"signature": "grpc"},
        [("spec.signature", "FieldValueNotSupported",
          'Unsupported value: "grpc": supported values: "cloudevent", "http"'), UNCHECKED]),
    "a runtime without a version": (MINIMAL | {"runtime": "python"},
        [("spec.runtime", "FieldValueInvalid",
          "Invalid value: \"python\": spec.runtime in body should match '^[a-z]+[0-9][0-9.]*$'")]),
    "a runtime that is too long": (MINIMAL | {"runtime": "a" * 32 + "1"},
        [("spec.runtime", "FieldValueTooLong", "Too long: may not be more than 32 bytes"),
         UNCHECKED]),
    "a variable twice": (with_env({"name": "A", "value": "1"}, {"name": "A", "value": "2"}),
        [("spec.env[1]", "FieldValueDuplicate", 'Duplicate value: {"name":"A"}')]),
    "too many variables": (with_env(*({"name": f"A{n}", "value": ""} for n in range(201))),
        [("spec.env", "FieldValueTooMany", "Too many: 201: must have at most 200 items"),
         UNCHECKED]),
    "a rule": (MINIMAL | {"source": {}},
        [("spec.source", "FieldValueInvalid",
          "Invalid value: needs exactly one of uri, inline, image")]),
    "a rule of a field": (with_env({"name": "PORT", "value": "1"}),
        [("spec.env[0].name", "FieldValueInvalid",
          "Invalid value: is set by the platform; choose another name")]),
    "a rule of a field below": (
        with_env({"name": "A", "secretKeyRef": {"name": "knative-lambda-pull", "key": "k"}}),
        [("spec.env[0].secretKeyRef.name", "FieldValueInvalid",
          ("Invalid value: begins with knative-lambda-, as the platform's own Secrets do; put what"
          " the function needs into a Secret with another name"))]),
    "a rule that needs a default": (MINIMAL | {"scale": {"min": 51}},
        [("spec.scale", "FieldValueInvalid", "Invalid value: min must not be above max")]),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_the_words_of_kubernetes(api, name):
    spec, faults = FAULTS[name]
    assert create(api, RECORDS, record(spec)).faults == set(faults)


@pytest.mark.parametrize("name", ["a" * 46, "9a"])
def test_a_name_that_no_service_can_have_is_refused(api, name):
    answer = create(api, RECORDS, record(MINIMAL, name))
    assert answer.code == 422
    assert "metadata.name must be lower-case letters" in answer.body["message"]


def test_defaults_are_stored(api):
    spec = create(api, RECORDS, record(MINIMAL | {"scale": {"max": 3}, "handler": None})).body[
        "spec"
    ]
    assert (spec["timeoutSeconds"], spec["signature"], spec["env"]) == (60, "cloudevent", [])
    assert spec["scale"] == {"min": 0, "max": 3, "target": 10, "concurrency": 10}
    assert "handler" not in spec


UNKNOWN = {**record(MINIMAL | {"foo": 1, "scale": {"mix": 1}}, blub=1), "bar": 2}
PATHS = ["bar", "metadata.blub", "spec.foo", "spec.scale.mix"]


def test_unknown_fields_are_dropped_with_a_warning(api):
    answer = create(api, RECORDS, UNKNOWN)
    assert answer.code == 201
    assert "foo" not in answer.body["spec"]
    assert sorted(answer.warnings) == [rf'299 - "unknown field \"{path}\""' for path in PATHS]


def test_unknown_fields_are_refused_on_request(api):
    answer = create(api, RECORDS, UNKNOWN, "?dryRun=All&fieldValidation=Strict")
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert "cannot be handled as a LambdaFunction: strict decoding error" in answer.body["message"]
    assert all(f'unknown field "{path}"' in answer.body["message"] for path in PATHS)


def test_unknown_fields_are_dropped_without_a_word_on_request(api):
    answer = create(api, RECORDS, UNKNOWN, "?dryRun=All&fieldValidation=Ignore")
    assert (answer.code, answer.warnings) == (201, [])


def test_an_unknown_way_of_validation_is_refused(api):
    answer = create(api, RECORDS, UNKNOWN, "?dryRun=All&fieldValidation=Loud")
    assert answer.code in {400, 422}
    assert "fieldValidation" in answer.body["message"]


def test_an_update_is_held_to_the_schema_as_well(api):
    item = stored(api)
    item["spec"] |= {"timeoutSeconds": True, "foo": 1}
    path = f"{RECORDS}/{item['metadata']['name']}"
    answer = api.send("PUT", path, item)
    assert answer.code == 422
    assert answer.faults == set(FAULTS["a time that is true"][1])
    assert api.send("PUT", f"{path}?fieldValidation=Strict", item).code == 400


@pytest.mark.parametrize(
    "fields", [{"timeoutSeconds": "30"}, {"runtime": None}, {"source": {"uri": None}}]
)
def test_a_patch_is_held_to_the_schema_as_well(api, fields):
    path = f"{RECORDS}/{stored(api)['metadata']['name']}"
    assert api.send("PATCH", path, {"spec": fields}, MERGE).code == 422


@pytest.mark.parametrize(
    "fields",
    [{"timeoutSeconds": "30"}, {"foo": 1}, {"scale": {"min": 60}}, {"source": {"inline": {}}}],
)
def test_what_is_applied_is_held_to_the_schema_as_well(api, fields):
    query = "?fieldManager=test&dryRun=All"
    answer = api.send("PATCH", f"{RECORDS}/new{query}", record(MINIMAL | fields, "new"), APPLY)
    # kube-apiserver blames itself for what it cannot merge.
    assert answer.code in {400, 422, 500}
    name = stored(api)["metadata"]["name"]
    answer = api.send("PATCH", f"{RECORDS}/{name}{query}", record(MINIMAL | fields, name), APPLY)
    assert answer.code in {400, 409, 422, 500}


def test_what_is_applied_owns_no_defaults(api):
    path = f"{RECORDS}/applied?fieldManager=test&dryRun=All"
    made = api.send("PATCH", path, record(MINIMAL, "applied"), APPLY).body
    (owner,) = made["metadata"]["managedFields"]
    assert set(owner["fieldsV1"]["f:spec"]) == {"f:source", "f:runtime"}
    assert made["spec"]["timeoutSeconds"] == 60


def test_a_status_that_cannot_be_is_refused(api):
    path = f"{RECORDS}/{stored(api)['metadata']['name']}/status"
    conditions = [{"type": "X", "status": "True", "lastTransitionTime": "now"}]
    answer = api.send("PATCH", path, {"status": {"phase": "Odd", "conditions": conditions}}, MERGE)
    assert answer.code == 422
    assert {field for field, _, _ in answer.faults} == {
        "status.phase",
        "status.conditions[0].type",
        "status.conditions[0].lastTransitionTime",
        "<nil>",
    }


IMAGE = {"image": "registry.example/hello"}
SERVICE_FAULTS = {
    "an image that is no text": (service({}, {"image": 3}),
        {"spec.template.spec.containers[0].image"}),
    "a time that is text": (service({"timeoutSeconds": "3"}, IMAGE),
        {"spec.template.spec.timeoutSeconds"}),
    "no containers": (service({"container": [IMAGE]}), {"spec.template.spec.containers"}),
    "a variable twice": (service({}, IMAGE | {"env": [{"name": "A"}, {"name": "A"}]}),
        {"spec.template.spec.containers[0].env[1]"}),
    "a quantity that is none": (service({}, IMAGE | {"resources": {"limits": {"cpu": "x"}}}),
        {"spec.template.spec.containers[0].resources.limits.cpu"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICE_FAULTS)
def test_a_service_is_held_to_the_schema_of_knative(api, name):
    item, fields = SERVICE_FAULTS[name]
    answer = create(api, SERVICES, item)
    assert answer.code == 422
    assert {field for field, _, _ in answer.faults} == fields


def test_an_unknown_field_of_a_service_is_told(api):
    answer = create(api, SERVICES, service({}, IMAGE | {"foo": 1}))
    assert answer.warnings == [r'299 - "unknown field \"spec.template.spec.containers[0].foo\""']


@pytest.mark.parametrize("retry", [1.5, 10**20, "3", True])
def test_a_broker_is_held_to_the_schema_of_knative(api, retry):
    item = {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": "default"},
        "spec": {"delivery": {"retry": retry}},
    }
    answer = create(api, BROKERS, item)
    assert answer.code == 422
    assert {field for field, _, _ in answer.faults} == {"spec.delivery.retry"}
