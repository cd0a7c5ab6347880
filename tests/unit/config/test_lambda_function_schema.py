"""The custom resource's schema in config/ says what the model says.

What the schema says in CEL (`x-kubernetes-validations`) is asked of a real API server, in
tests/integration/cluster_config.
"""

from __future__ import annotations

import re
from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knative_lambda.domain.lambda_function import (
    ConditionType,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    Scale,
)
from tests.helpers.lambda_function_specs import FULL, MINIMAL, RIGHT, WRONG
from tests.unit.config.helpers.lambda_function_schema import SCHEMA, VERSION, fields

# These break rules that JSON Schema cannot say.
BY_RULE = {
    "an empty source",
    "two sources",
    "three sources",
    "an archive on a host without its hash",
    "a hash of a prefix",
    "a hash of a repository",
    "a hash of text",
    "a hash of an image",
    "a hash alone",
    "a Secret for storage",
    "a Secret for text",
    "a Secret of the platform for a source",
    "a user in the URI of a repository",
    "a password in the URI of an archive",
    "an absolute path",
    "a path outside",
    "a path to here",
    "an empty path",
    "an empty part of a path",
    "a folder as a path",
    "a backslash in a path",
    "a control character in a path",
    "a name that removes a file",
    "a folder that removes a file",
    "a path that is too long",
    "a variable without an origin",
    "a variable with two origins",
    "a variable twice",
    "a reserved name",
    "a reserved beginning",
    "a name of ours",
    "a name of Knative",
    "a Secret of the platform",
    "a minimum above the maximum",
    "a minimum above the default maximum",
    "an attribute that cannot be",
    "a request above its limit",
    "a request above its limit in other units",
    "a request above its limit as a number",
    "a request above the limit that is the default",
    "a limit below the request that is the default",
    "data, which is no attribute",
    "an attribute name that is too long",
}


def pattern(validator, pattern, instance, schema):
    """As Go matches: `$` is the very end."""
    if isinstance(instance, str) and not re.fullmatch(pattern, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern}")


VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})


def problems(instance, part="spec"):
    return [error.message for error in VALIDATOR(SCHEMA[part]).iter_errors(instance)]


def model_fields(schema, whole, path=()):
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", ()):
        yield from model_fields(choice, whole, path)
    for name, below in (schema.get("properties") or {}).items():
        yield (*path, name)
        yield from model_fields(below, whole, (*path, name))
    if "items" in schema:
        yield from model_fields(schema["items"], whole, (*path, "[]"))


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_taken_by_both(name):
    spec = LambdaFunctionSpec.model_validate(RIGHT[name])
    assert problems(RIGHT[name]) == []
    assert problems(spec.to_json()) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_by_both(name):
    with pytest.raises(ValidationError):
        LambdaFunctionSpec.model_validate(WRONG[name])
    assert bool(problems(WRONG[name])) == (name not in BY_RULE)


@pytest.mark.parametrize(
    ("model", "part"), [(LambdaFunctionSpec, "spec"), (LambdaFunctionStatus, "status")]
)
def test_both_have_the_same_fields(model, part):
    schema = model.model_json_schema(by_alias=True)
    assert set(fields(SCHEMA[part])) == set(model_fields(schema, schema))


def test_both_have_the_same_defaults():
    made = LambdaFunctionSpec.model_validate(MINIMAL).to_json()
    spec = SCHEMA["spec"]["properties"]
    for name in ("signature", "env", "scale", "timeoutSeconds", "subscriptions"):
        assert spec[name]["default"] == made[name]
    scale = spec["scale"]["properties"]
    defaults = {name: field["default"] for name, field in scale.items() if "default" in field}
    assert defaults == Scale().to_json()
    for name, resources in spec["resources"]["properties"].items():
        assert resources["default"] == made["resources"][name]


sources = st.one_of(
    st.builds(lambda uri: {"uri": uri}, st.text(min_size=1, max_size=50)),
    st.builds(
        lambda files: {"inline": files},
        st.dictionaries(st.text("ab.ä", min_size=1, max_size=5), st.text(max_size=20), min_size=1),
    ),
    st.builds(
        lambda hash_: {"image": f"a/b@sha256:{hash_}"},
        st.from_regex("[0-9a-f]{64}", fullmatch=True),
    ),
)
references = st.fixed_dictionaries(
    {
        "name": st.from_regex("[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?", fullmatch=True),
        "key": st.from_regex("[-._a-zA-Z0-9]{1,9}", fullmatch=True),
    },
    optional={"optional": st.booleans()},
)
origins = st.one_of(
    st.fixed_dictionaries({"value": st.text(max_size=20)}),
    st.fixed_dictionaries({"secretKeyRef": references}),
    st.fixed_dictionaries({"configMapKeyRef": references}),
)
numbers = st.integers(-1, 1001)
quantities = st.from_regex(r"[0-9]{1,4}(\.[0-9])?(m|k|Ki|M|Mi|G|Gi|g|B)?", fullmatch=True)
amounts = st.fixed_dictionaries({}, optional={"cpu": quantities, "memory": quantities})
specs = st.fixed_dictionaries(
    {"source": sources, "runtime": st.from_regex("[a-z]{1,6}[0-9.]{0,5}", fullmatch=True)},
    optional={
        "handler": st.from_regex(r"[a-z./]{0,5}\.[\w$-]{1,5}", fullmatch=True),
        "signature": st.sampled_from(["cloudevent", "http", "HTTP"]),
        "env": st.lists(
            st.builds(
                lambda name, origin: {"name": name} | origin,
                st.from_regex("[A-Z_0-9]{1,6}", fullmatch=True),
                origins,
            ),
            max_size=3,
            unique_by=lambda variable: variable["name"],
        ),
        "scale": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("target", "concurrency", "max", "burstCapacity"), numbers)
        ),
        "resources": st.fixed_dictionaries({}, optional={"requests": amounts, "limits": amounts}),
        "timeoutSeconds": st.integers(-1, 3601),
        "subscriptions": st.lists(
            st.dictionaries(st.sampled_from(["type", "source"]), st.text(max_size=9)), max_size=2
        ),
    },
)


@given(specs)
def test_the_model_and_the_schema_agree_on_any_spec(spec):
    try:
        made = LambdaFunctionSpec.model_validate(spec)
    except ValidationError as error:
        by_rule = {"value_error"} == {each["type"] for each in error.errors()}
        assert problems(spec) or by_rule
    else:
        assert problems(spec) == []
        assert problems(made.to_json()) == []


def test_a_status_that_the_functions_write_is_taken():
    time = "2026-01-31T14:00:01Z"
    build = {"id": "1", "wishId": "2", "log": "", **dict.fromkeys(["startedAt", "wishTime"], time)}
    status = LambdaFunctionStatus.model_validate(
        {
            "phase": "Failed",
            "observedGeneration": 3,
            "conditions": [
                {"type": "BuildReady", "status": "False", "lastTransitionTime": time},
                {"type": "SourceReady", "status": "True", "lastTransitionTime": time},
            ],
            "build": build,
            "url": "http://a",
        }
    )
    assert problems(status.to_json(), "status") == []


def test_phases_and_conditions_are_those_of_the_model():
    status = LambdaFunctionStatus.model_json_schema()["$defs"]
    condition = SCHEMA["status"]["properties"]["conditions"]
    assert SCHEMA["status"]["properties"]["phase"]["enum"] == status["Phase"]["enum"]
    types = list(get_args(ConditionType))
    assert condition["items"]["properties"]["type"]["enum"] == types
    assert condition["x-kubernetes-list-map-keys"] == ["type"]


def test_people_see_how_a_lambda_is():
    columns = [column["name"] for column in VERSION["additionalPrinterColumns"]]
    assert columns[:5] == ["Phase", "Ready", "Reason", "URL", "Age"]
    assert VERSION["subresources"] == {"status": {}}
    assert LambdaFunctionSpec.model_validate(FULL)
