"""The API as a document in OpenAPI 3.1, from the table of operations and their models."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic.json_schema import models_json_schema

from knative_lambda import __version__
from knative_lambda.domain.lambda_function import Model
from knative_lambda.inbound.api.operations import OPERATIONS
from knative_lambda.inbound.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.inbound.api.operations import Operation

_REFERENCE = "#/components/schemas/{model}"
_EVERYWHERE = (400, 401, 403, 429, 503)
_ABOUT = (
    "Lambdas, their builds and their logs, and a way for sources into storage. Every request is"
    " made with a token of Kubernetes, and may do what that token may do there: no more, no less."
    " Lists and records are read from Kubernetes for each request."
)


class Problem(Model):
    """What is wrong, after RFC 9457."""

    type: str = Field(description="a URI that ends in the reason, one word for programs")
    title: str
    status: int
    detail: str = Field(description="for people")
    field: str | None = Field(None, description="of the request, where one is wrong")


@cache
def openapi() -> str:
    """Return the document as JSON; the same code always gives the same text."""
    return json.dumps(_document(), indent=2) + "\n"


def _document() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Knative Lambda",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative: an installation knows neither its name nor the path that leads to it.
        "servers": [{"url": "."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "of Kubernetes; on the embedded platform, of its data folder",
                }
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    models: set[type[Model]] = {Problem}
    for each in OPERATIONS:
        models |= {model for model in (each.answer, each.body_model) if model is not None}
    wanted = sorted(models, key=lambda model: model.__name__)
    _, document = models_json_schema(
        [(model, "validation") for model in wanted], by_alias=True, ref_template=_REFERENCE
    )
    schemas: dict[str, Any] = document["$defs"]
    return schemas


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    if operation.body_model is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body_model)}
    if operation.run is None:
        content: dict[str, Any] = {"application/octet-stream": {"schema": {}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    yield from _of_model(operation.path_model, "path")
    if operation.query_model is not None:
        yield from _of_model(operation.query_model, "query")
    if operation.has_etag:
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": "the ETag of what the caller has already",
            "schema": {"type": "string"},
        }


def _of_model(model: type[Model], where: str) -> Iterator[dict[str, Any]]:
    document = model.model_json_schema(by_alias=True)
    required = document.get("required", ())
    for name, schema in document["properties"].items():
        described = {key: value for key, value in schema.items() if key != "title"}
        if "anyOf" in described:
            # What is absent is not null.
            (only,) = (each for each in described.pop("anyOf") if each != {"type": "null"})
            described.pop("default", None)
            described |= (
                document["$defs"][only["$ref"].rpartition("/")[2]] if "$ref" in only else only
            )
        description = described.pop("description", None)
        parameter = {"name": name, "in": where, "required": name in required}
        if description:
            parameter["description"] = description
        yield {**parameter, "schema": described}


def _responses(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
    if operation.answer is not None:
        content = _json(operation.answer)
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    success["content"] = content
    responses: dict[str, Any] = {str(operation.status): success}
    if operation.has_etag:
        header = {"schema": {"type": "string"}, "description": "of this version"}
        success["headers"] = {"ETag": header}
        responses["304"] = {"description": "the caller has this version"}
    for status in sorted({*_EVERYWHERE, *operation.problems}):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
        }
    return responses


def _json(model: type[Model]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}
