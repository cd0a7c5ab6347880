"""The documents in which the API describes itself, in the form that a client accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.api.discovery.groups import discovery_document
from lambda_embedded.api.responses import json_response

if TYPE_CHECKING:
    from pathlib import Path


def document_response(path: str, accept: str, definition: Path) -> web.Response | None:
    """Return the document at a path, or None where there is none.

    `definition` is the file of LambdaFunction's CustomResourceDefinition.
    """
    if path.startswith("/openapi/"):
        return _openapi_response(path, accept, definition)
    document = discovery_document(path)
    return json_response(document) if document else None


def _openapi_response(path: str, accept: str, definition: Path) -> web.Response | None:
    # The schemas are long, and few platforms ever serve them.
    from lambda_embedded.api.discovery import openapi, openapi_protobuf  # noqa: PLC0415

    if path.rstrip("/") == "/openapi/v2":
        if "protobuf" not in accept:
            return json_response(openapi.openapi_v2(definition))
        body = openapi_protobuf.openapi_v2_protobuf(definition)
        return web.Response(body=body, headers={"Content-Type": openapi_protobuf.MEDIA_TYPE})
    document = openapi.openapi_v3(path, definition)
    if document is None:
        return None
    return web.Response(body=document, content_type="application/json")
