"""How long a client may take to send a request: one that stops midway must block nothing."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.access.access import Denial

if TYPE_CHECKING:
    from aiohttp import web

HEAD_SECONDS = 30.0
"""From the connection, or the last response on it, to the end of a request's head.

This is what aiohttp's `keepalive_timeout` measures.
"""
BODY_SECONDS = 30.0
"""For a body that is read as a whole."""


class SlowBodyError(Exception):
    """The body did not arrive in time."""


def too_slow(seconds: float) -> Denial:
    """Return the denial of a request whose body took too long."""
    message = f"the body of the request did not arrive within {seconds:g} s"
    return Denial(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", message)


async def read_body(request: web.Request, seconds: float = BODY_SECONDS) -> bytes:
    """Return the body; raises `SlowBodyError`, and what aiohttp raises for a broken one."""
    try:
        async with asyncio.timeout(seconds):
            return await request.read()
    except TimeoutError as error:
        raise SlowBodyError(too_slow(seconds).message) from error
