"""Responses in JSON."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aiohttp import web


def json_response(value: Any, code: HTTPStatus = HTTPStatus.OK) -> web.Response:  # noqa: ANN401  # any JSON value
    """Return a response in JSON, without a charset, as kube-apiserver does."""
    return web.Response(
        body=json.dumps(value, separators=(",", ":")).encode(),
        status=code,
        content_type="application/json",
    )
