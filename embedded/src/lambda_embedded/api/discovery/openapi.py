"""OpenAPI: the schemas for `kubectl explain`, and which parameters a patch takes."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.discovery.definitions import definitions, identity
from lambda_embedded.api.kinds.served import KINDS, Kind

if TYPE_CHECKING:
    from pathlib import Path

_QUERY = ("dryRun", "fieldManager", "fieldValidation", "force")
_INFO = {"title": "Knative Lambda, embedded", "version": "v1"}
_V3_PLACE, _V2_PLACE = "#/components/schemas/", "#/definitions/"


def openapi_v3(path: str, definition: Path) -> bytes | None:
    """Return the document at a path below /openapi/v3, or None."""
    match path.strip("/").split("/"):
        case ["openapi", "v3"]:
            roots = sorted({_root(kind) for kind in KINDS})
            paths = {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}
            return json.dumps({"paths": paths}).encode()
        case ["openapi", "v3", *rest]:
            return _group_version("/".join(rest), definition)
    return None


@cache
def openapi_v2(definition: Path) -> dict[str, Any]:
    """Return the one document of OpenAPI 2, which nobody may change."""
    query = [{"name": name, "in": "query", "type": "string"} for name in _QUERY]
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": {_path(kind): {"patch": _patch(kind, query)} for kind in KINDS},
        "definitions": {
            name: _as_v2(schema)
            for name, schema in definitions(KINDS, place=_V2_PLACE, definition=definition).items()
        },
    }


@cache
def _group_version(root: str, definition: Path) -> bytes | None:
    kinds = [kind for kind in KINDS if _root(kind) == root]
    if not kinds:
        return None
    query = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in _QUERY
    ]
    document = {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": {_path(kind): {"patch": _patch(kind, query)} for kind in kinds},
        "components": {"schemas": definitions(kinds, place=_V3_PLACE, definition=definition)},
    }
    return json.dumps(document).encode()


def _root(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.api_version}"


def _path(kind: Kind) -> str:
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"/{_root(kind)}{namespace}/{kind.plural}/{{name}}"


def _patch(kind: Kind, query: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "operationId": f"patch{kind.kind}",
        "parameters": query,
        "x-kubernetes-group-version-kind": identity(kind),
        "responses": {"200": {"description": "OK"}},
    }


_KEPT = ("$ref", "description", "format", "required", "x-kubernetes-group-version-kind",
         "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key")  # fmt: skip


def _as_v2(schema: dict[str, Any]) -> dict[str, Any]:
    """Reduce a schema to OpenAPI 2, which has fewer keywords, as kube-apiserver does."""
    plain = {key: schema[key] for key in _KEPT if key in schema}
    if "type" not in schema or schema.get("nullable") or "x-kubernetes-int-or-string" in schema:
        return plain  # Anything.
    plain["type"] = schema["type"]
    if "x-kubernetes-preserve-unknown-fields" in schema:
        return plain
    if "properties" in schema:
        properties = schema["properties"].items()
        plain["properties"] = {name: _as_v2(each) for name, each in properties}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            plain[key] = _as_v2(schema[key])
    return plain
