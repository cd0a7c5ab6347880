"""How long a sender may take over a request: one that stops in the middle must hold nothing up."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.access.access import Denial

if TYPE_CHECKING:
    from aiohttp import web

HEAD_SECONDS = 30.0
"""From the connection, or the last answer on it, to the end of a request's head.

aiohttp's `keepalive_timeout` measures just that.
"""
BODY_SECONDS = 30.0
"""For a body that is read as a whole."""


class SlowBodyError(Exception):
    """The body did not come in time."""


def too_slow(seconds: float) -> Denial:
    """Say so to the sender."""
    message = f"the body of the request did not come within {seconds:g} s"
    return Denial(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", message)


async def read_body(request: web.Request, seconds: float = BODY_SECONDS) -> bytes:
    """Return the body, or `SlowBodyError`; what aiohttp raises of a broken one stays."""
    try:
        async with asyncio.timeout(seconds):
            return await request.read()
    except TimeoutError as error:
        raise SlowBodyError(too_slow(seconds).message) from error
