"""Bodies of requests: as long as they say, as long as they may be, and in time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from knative_lambda.domain.errors import InvalidRequestError, RequestTooLargeError
from knative_lambda.inbound.api.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

MAX_BODY_BYTES = 16 * 1024
_BODY_SECONDS = 10.0


async def read_body(request: Request, *, seconds: float = _BODY_SECONDS) -> bytes:
    """Return the whole of a small body."""
    body = bytearray()
    async for chunk in chunks(request, max_bytes=MAX_BODY_BYTES, seconds=seconds):
        body += chunk
    return bytes(body)


async def chunks(request: Request, *, max_bytes: int, seconds: float) -> AsyncIterator[bytes]:
    """Yield a body, up to `max_bytes` and for so many seconds; then raise 413 or 408."""
    if "Content-Encoding" in request.headers:
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without Content-Encoding"
        )
    declared, read = request.headers.get("Content-Length", "0"), 0
    if int(declared) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                read += len(chunk)
                if read > max_bytes:
                    raise _too_large(max_bytes)
                yield chunk
    except TimeoutError as error:
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not arrive within {seconds:g} seconds",
            headers={"Connection": "close"},
        ) from error
    except ClientDisconnect as error:
        raise InvalidRequestError("the body ended before its Content-Length") from error


def _too_large(max_bytes: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"the body may have {max_bytes} bytes")
