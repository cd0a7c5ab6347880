from __future__ import annotations

import pytest
from pydantic import ValidationError

from knative_lambda.domain.events import BuildStart
from knative_lambda.domain.set_fields import MAX_SET_FIELDS, read_set_fields, write_set_fields

_REQUEST = {"source": {"inline": {"main.py": ""}}, "runtime": "python3.11"}
_FIELDS = [
    "env.A", "env._a1", "env." + "A" * 256, "scale.min", "scale.max", "scale.target",
    "scale.burstCapacity", "scale.concurrency", "resources.requests.cpu",
    "resources.limits.memory", "timeoutSeconds",
]  # fmt: skip
_NO_FIELDS = [
    "", "env", "env.", "env.1", "env.A B", "env.A\n", "env.é", "env.A.B", "env." + "A" * 257,
    "env.*", "source", "source.image", "runtime", "handler", "scale", "scale.maximum",
    "resources.limits", "resources.limits.gpu", "timeoutSeconds env.A", "status.url", "\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("path", _FIELDS)
def test_a_setting_or_a_variable_is_a_field_that_options_set(path):
    assert BuildStart.model_validate(_REQUEST | {"setFields": [path]}).set_fields == [path]
    assert read_set_fields(path) == [path]


@pytest.mark.parametrize("path", _NO_FIELDS)
def test_anything_else_is_rejected_in_a_request_and_passed_over_in_a_record(path):
    with pytest.raises(ValidationError):
        BuildStart.model_validate(_REQUEST | {"setFields": [path]})
    assert read_set_fields(f"{path}!") == []


def test_there_are_only_so_many():
    paths = [f"env.A{number:03}" for number in range(MAX_SET_FIELDS + 1)]
    with pytest.raises(ValidationError):
        BuildStart.model_validate(_REQUEST | {"setFields": paths})
    assert read_set_fields(write_set_fields(paths)) == paths[:-1]


@pytest.mark.parametrize("replaces", ["", "x" * 2049, 5, ["a"]])
def test_what_a_request_replaces_is_the_id_of_an_event(replaces):
    with pytest.raises(ValidationError):
        BuildStart.model_validate(_REQUEST | {"replaces": replaces})


def test_the_spec_of_a_request_is_without_what_is_about_the_request():
    request = _REQUEST | {"setFields": ["env.A"], "replaces": "1"}
    assert not {"setFields", "replaces"} & BuildStart.model_validate(request).spec.to_json().keys()
