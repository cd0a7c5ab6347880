"""Answers below /openapi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lambda_embedded.api.answers import answer
from lambda_embedded.api.discovery.openapi import openapi_v2, openapi_v3
from lambda_embedded.api.discovery.openapi_protobuf import MEDIA_TYPE, openapi_v2_protobuf

if TYPE_CHECKING:
    from pathlib import Path


def openapi_answer(path: str, accept: str, definition: Path) -> web.Response | None:
    """Answer with the document at a path, in the form asked for; None where there is none."""
    if path.rstrip("/") == "/openapi/v2":
        if "protobuf" not in accept:
            return answer(openapi_v2(definition))
        body = openapi_v2_protobuf(definition)
        return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE})
    document = openapi_v3(path, definition)
    if document is None:
        return None
    return web.Response(body=document, content_type="application/json")
