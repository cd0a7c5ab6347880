"""What the API does against what it says of itself, from requests that schemathesis makes up."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from knative_lambda.inbound.api.openapi import openapi
from tests.integration.api.helpers.tenant import BUILD

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
DOCUMENT = Path(__file__).parents[3] / "docs/openapi.json"
THERE = {"namespace": "default", "name": "hello", "build": BUILD}


@pytest.fixture
def description(app):
    document = json.loads(openapi())
    # Every case has a token, so that none is refused before anything else of it is looked at.
    del document["security"], document["components"]["securitySchemes"]
    made = schemathesis.openapi.from_dict(document)
    made.app = app
    return made


schema = schemathesis.pytest.from_fixture("description")


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_one_that_is_described(case, kubernetes):
    # Many of them ask of what is there.
    if case.meta.generation.mode.is_positive and case.path_parameters["namespace"] < "m":
        case.path_parameters |= {k: v for k, v in THERE.items() if k in case.path_parameters}
    headers = {"Authorization": f"Bearer {kubernetes.token}"}
    if any("\n" in unquote(str(part)) for part in case.path_parameters.values()):
        # functions-framework's own route does not know such a path.
        assert case.call(headers=headers).status_code == 404
        return
    case.call_and_validate(headers=headers, checks=CHECKS)


def test_the_document_in_docs_is_current_and_made_by_make_schemas():
    assert DOCUMENT.read_text() == openapi()


def test_no_schema_has_a_name_that_is_not_there():
    text = openapi()
    schemas = json.loads(text)["components"]["schemas"]
    used = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert used == schemas.keys()
