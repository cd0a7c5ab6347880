"""One POST of one event to a subscriber or sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from knative_lambda.inbound.http_binding import to_http
from lambda_embedded.broker.deliver.outcome import Failed, Response, no_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from knative_lambda.inbound.valid_event import CloudEvent
    from lambda_embedded.access.platform_credentials import OwnCredentials


def create_session() -> aiohttp.ClientSession:
    """Return a session that many slow subscribers cannot exhaust and that keeps no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )


class Sender:
    """Sends events in binary mode."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        reply_limit_bytes: int,
        credentials: OwnCredentials | None = None,
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
        reply: bool = True,
        along: Mapping[str, str] | None = None,
    ) -> Response | Failed:
        """POST the event, with the headers that go along with it.

        Whatever goes wrong is an outcome, not an exception.
        """
        headers, body = to_http(event)
        headers.update(along or {})
        if reply:
            headers["Prefer"] = "reply"
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
            return no_answer(f"no answer within {within.total_seconds():g} s")
        except aiohttp.InvalidURL:
            return no_answer("the address is no URL")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return no_answer(f"{type(error).__name__}: {error}"[:500])

    async def _read(self, response: aiohttp.ClientResponse) -> Response | Failed:
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(65536):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._reply_limit_bytes:
                response.close()
                return Failed(
                    response.status,
                    f"the answer is larger than {self._reply_limit_bytes} bytes",
                    chunks[0],
                )
        return Response(response.status, tuple(response.headers.items()), b"".join(chunks))
