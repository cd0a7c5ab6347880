"""What is told of an object whose fields are unknown or at fault, and how much of it."""

from __future__ import annotations

import pytest

from lambda_embedded.api.admission.chain import Admission
from lambda_embedded.api.admission.field_validation import FieldValidation
from lambda_embedded.api.admission.validation import invalid_object, metadata_faults
from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.kinds.served import kind_named
from lambda_embedded.schemas.known import DEFINITION
from tests.helpers.lambda_function_specs import MINIMAL

LONG = "n" * 100_000
LAMBDA = kind_named("knative-lambda.dev/v1alpha1", "LambdaFunction")
CONFIG_MAP = kind_named("v1", "ConfigMap")


def record(**spec):
    return {"metadata": {"name": "one"}, "spec": MINIMAL | spec}


@pytest.fixture(scope="module")
def admission():
    return Admission(DEFINITION)


def test_all_unknown_fields_are_dropped_and_the_first_ones_are_told(admission):
    item = record(**{f"{LONG}{index}": 1 for index in range(50)}) | {LONG: 1}
    item["metadata"][LONG] = 1
    fields = FieldValidation("Warn")
    admission.read(LAMBDA, item, fields)
    assert not [name for name in (*item, *item["spec"]) if LONG in name]
    assert item["metadata"] == {"name": "one"}
    assert 0 < len("".join(fields.warnings)) < 20 * 250


def test_a_strict_client_is_told_in_a_bounded_message(admission):
    with pytest.raises(ApiError) as error:
        admission.read(
            LAMBDA,
            record(**{f"{index}{LONG}": 1 for index in range(50)}),
            FieldValidation("Strict"),
        )
    assert len(error.value.message) < 20 * 250


def test_fields_that_an_object_has_from_before_are_not_told(admission):
    fields = FieldValidation("Warn")
    admission.read(LAMBDA, record(old=1, new=1), fields, record(old=1))
    assert [text for text in fields.warnings if "spec.new" in text]
    assert not [text for text in fields.warnings if "spec.old" in text]


def test_of_many_faults_the_first_are_looked_for():
    looked = []

    def faults():
        for fault in metadata_faults(CONFIG_MAP, item):
            looked.append(fault)
            yield fault

    item = {"metadata": {"name": "one", "ownerReferences": [1] * 10_000}}
    error = invalid_object(CONFIG_MAP, "one", faults())
    assert len(error.details["causes"]) == len(looked) == 100


def test_a_long_label_is_told_by_its_beginning():
    item = {"metadata": {"name": "one", "labels": {LONG: LONG}}}
    assert len(invalid_object(CONFIG_MAP, "one", metadata_faults(CONFIG_MAP, item)).message) < 3000
