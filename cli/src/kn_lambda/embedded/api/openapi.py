"""As much OpenAPI as tells kubectl that the server checks objects, so that it need not."""

from __future__ import annotations

from typing import Any

from kn_lambda.embedded.api.kinds import KINDS, Kind

_QUERY = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force")
]


def openapi_document(path: str) -> dict[str, Any] | None:
    """Return the document at a path below /openapi/v3, or None."""
    match path.strip("/").split("/"):
        case ["openapi", "v3"]:
            roots = sorted({_root(kind) for kind in KINDS})
            return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
        case ["openapi", "v3", *rest]:
            kinds = [kind for kind in KINDS if _root(kind) == "/".join(rest)]
            return _paths(kinds) if kinds else None
    return None


def _root(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.api_version}"


def _paths(kinds: list[Kind]) -> dict[str, Any]:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Knative Lambda, embedded", "version": kinds[0].version},
        "paths": {_path(kind): {"patch": _patch(kind)} for kind in kinds},
    }


def _path(kind: Kind) -> str:
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"/{_root(kind)}{namespace}/{kind.plural}/{{name}}"


def _patch(kind: Kind) -> dict[str, Any]:
    identity = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    return {
        "operationId": f"patch{kind.kind}",
        "parameters": _QUERY,
        "x-kubernetes-group-version-kind": identity,
        "responses": {"200": {"description": "OK"}},
    }
