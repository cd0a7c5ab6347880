"""The gateway's own responses: short errors in JSON, like those of the functions."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from http import HTTPStatus

_MESSAGE_BYTES = 400


def error_response(
    status: HTTPStatus, reason: str, message: str, *, retry_after_seconds: float | None = None
) -> web.Response:
    """Return an error of at most 512 bytes."""
    short = message.encode()[-_MESSAGE_BYTES:].decode(errors="ignore")
    body = json.dumps({"reason": reason, "message": short}, ensure_ascii=False)
    headers = {}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_seconds)))
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)
