"""Answers below /openapi."""

from __future__ import annotations

from aiohttp import web

from kn_lambda.embedded.api.answers import answer
from kn_lambda.embedded.api.openapi import openapi_v2, openapi_v3
from kn_lambda.embedded.api.openapi_protobuf import MEDIA_TYPE, openapi_v2_protobuf


def openapi_answer(path: str, accept: str) -> web.Response | None:
    """Answer with the document at a path, in the form asked for; None where there is none."""
    if path.rstrip("/") == "/openapi/v2":
        if "protobuf" not in accept:
            return answer(openapi_v2())
        return web.Response(body=openapi_v2_protobuf(), headers={"Content-Type": MEDIA_TYPE})
    document = openapi_v3(path)
    if document is None:
        return None
    return web.Response(body=document, content_type="application/json")
