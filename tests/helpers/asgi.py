"""Requests to an ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


@dataclass
class Response:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def data(self) -> Any:
        return json.loads(self.body)


async def send(
    app: Any,
    method: str,
    target: str,
    headers: dict[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | AsyncIterator[bytes] = b"",
    *,
    ends: bool = True,
) -> Response:
    """Send one request, its body in pieces if it comes in pieces; not `ends`: the caller hangs up.

    `target` is what stands in the request line.
    """
    path, _, query = target.partition("?")
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if isinstance(body, bytes) and body and "content-length" not in {n.lower() for n, _ in pairs}:
        pairs.append(("Content-Length", str(len(body))))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in pairs
        ],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    pieces, response = _pieces(body), Response()

    async def receive() -> dict[str, Any]:
        async for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        if ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def take(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = {
                name.decode().lower(): text.decode("latin-1") for name, text in message["headers"]
            }
        else:
            response.body += message.get("body", b"")

    async with asyncio.timeout(60):
        await app(scope, receive, take)
    return response


async def _pieces(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        if body:
            yield body
        return
    async for piece in body:
        yield piece
