"""One POST of one event to a subscriber or sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from knative_lambda.inbound.http_binding import to_http
from lambda_embedded.broker.deliver.outcome import (
    Delivered,
    Failed,
    Response,
    classify,
    classify_sink,
    no_response,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.access.platform_credentials import PlatformCredentials


def create_session() -> aiohttp.ClientSession:
    """Return a session without cookies and without a limit that slow subscribers could exhaust."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )


class Sender:
    """Sends events in binary mode and reads the responses."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        reply_limit_bytes: int,
        credentials: PlatformCredentials | None = None,
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._reply_limit_bytes = reply_limit_bytes

    async def send(
        self,
        url: str,
        event: CloudEvent,
        *,
        within: timedelta,
        headers: Mapping[str, str] | None = None,
    ) -> Delivered | Failed:
        """POST the event to a subscriber, which may reply; every failure is an outcome."""
        response = await self._post(url, event, within, {**(headers or {}), "Prefer": "reply"})
        return response if isinstance(response, Failed) else classify(response)

    async def send_to_sink(
        self,
        url: str,
        event: CloudEvent,
        *,
        within: timedelta,
        headers: Mapping[str, str] | None = None,
    ) -> Delivered | Failed:
        """POST the event to a sink, whose response body does not matter."""
        response = await self._post(url, event, within, headers or {})
        return response if isinstance(response, Failed) else classify_sink(response)

    async def _post(
        self, url: str, event: CloudEvent, within: timedelta, extra_headers: Mapping[str, str]
    ) -> Response | Failed:
        headers, body = to_http(event)
        headers.update(extra_headers)
        if self._credentials is not None:
            headers.update(self._credentials.headers(url))
        try:
            async with self._session.post(
                url,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within.total_seconds()),
                allow_redirects=False,
                skip_auto_headers=("Content-Type",),
            ) as response:
                return await self._read(response)
        except TimeoutError:
            return no_response(f"no response within {within.total_seconds():g} s")
        except aiohttp.InvalidURL:
            return no_response("the address is not a URL")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return no_response(f"{type(error).__name__}: {error}"[:500])

    async def _read(self, response: aiohttp.ClientResponse) -> Response | Failed:
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(65536):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._reply_limit_bytes:
                response.close()
                return Failed(
                    response.status,
                    f"the response is larger than {self._reply_limit_bytes} bytes",
                    chunks[0],
                )
        return Response(response.status, tuple(response.headers.items()), b"".join(chunks))
