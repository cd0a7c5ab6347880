"""OpenAPI documents that hold together, in both versions."""

from __future__ import annotations

import json

import pytest

from lambda_embedded.api.discovery.openapi import openapi_v2, openapi_v3
from lambda_embedded.api.discovery.openapi_protobuf import openapi_v2_protobuf
from lambda_embedded.api.kinds.served import KINDS
from lambda_embedded.schemas.known import DEFINITION


def _references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _references(each)


def _roots():
    return json.loads(openapi_v3("/openapi/v3", DEFINITION))["paths"]


@pytest.mark.parametrize("root", _roots())
def test_every_reference_of_a_group_is_in_its_document(root):
    document = json.loads(openapi_v3(f"/openapi/v3/{root}", DEFINITION))
    places = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= places


def test_every_reference_of_version_2_is_in_it():
    document = openapi_v2(DEFINITION)
    places = {f"#/definitions/{name}" for name in document["definitions"]}
    assert set(_references(document["definitions"])) <= places


def test_every_kind_that_is_served_has_a_schema_with_metadata():
    found = [
        (each["kind"], schema["properties"]["metadata"])
        for schema in openapi_v2(DEFINITION)["definitions"].values()
        for each in schema.get("x-kubernetes-group-version-kind", [])
    ]
    assert {kind for kind, _ in found} == {kind.kind for kind in KINDS}
    assert all("$ref" in metadata for _, metadata in found)


def test_what_bytes_are_read_by_is_not_shown():
    text = json.dumps(openapi_v2(DEFINITION))
    assert '"number":' not in text
    assert '"pointer":' not in text
    assert '"quantity"' not in text


@pytest.mark.parametrize("path", ["/openapi/v3/apis/none/v1", "/openapi/v4", "/openapi/v3/api/v2"])
def test_a_group_that_is_not_served_has_no_document(path):
    assert openapi_v3(path, DEFINITION) is None


def test_the_protobuf_form_names_all_definitions():
    data = openapi_v2_protobuf(DEFINITION)
    assert all(name.encode() in data for name in openapi_v2(DEFINITION)["definitions"])
