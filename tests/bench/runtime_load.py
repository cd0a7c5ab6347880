"""An HTTP/1.1 load generator for one small request, faster than any server measured with it.

`python runtime_load.py PORT SECONDS CONNECTIONS HOST` prints the requests answered per second; any
answer but 200 and 204 ends it with status 1. HOST is the header by which a gateway finds the
server.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import uvloop  # type: ignore[import-not-found]  # of the environment that is measured

BODY = b'{"text":"' + b"x" * 1013 + b'"}'
HEAD = (
    "POST / HTTP/1.1\r\nhost: {host}\r\n"
    "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /bench\r\n"
    "ce-type: com.example.measured\r\nce-time: 2026-01-01T00:00:00Z\r\n"
    "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 204")


class Caller(asyncio.Protocol):
    """Sends the request again as soon as its answer is complete."""

    def __init__(self, until: float, request: bytes) -> None:
        self.until = until
        self._request = request
        self.answered = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._transport is None or not _is_complete(self._received):
            return
        if not self._received.startswith(_GOOD):
            self.finished.set_exception(RuntimeError(self._received.decode()))
        self.answered += 1
        self._received = b""
        if time.perf_counter() < self.until:
            self._transport.write(self._request)
            return
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.finished.done():
            return
        if exc is None and time.perf_counter() >= self.until:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(exc or ConnectionResetError("closed too early"))


def _is_complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    _, found, after = head.lower().partition(b"content-length:")
    return len(body) >= (int(after.split(b"\r\n", 1)[0]) if found else 0)


async def requests_per_second(port: int, seconds: float, connections: int, host: str) -> float:
    """Answers per second over that many connections kept busy."""
    loop = asyncio.get_running_loop()
    request = HEAD.format(host=host, length=len(BODY)).encode() + BODY
    begin = time.perf_counter()
    callers = [
        (await loop.create_connection(lambda: Caller(begin + seconds, request), "127.0.0.1", port))[
            1
        ]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.finished for caller in callers))
    return sum(caller.answered for caller in callers) / (time.perf_counter() - begin)


if __name__ == "__main__":
    port, seconds, connections, host = sys.argv[1:]
    answered = uvloop.run(requests_per_second(int(port), float(seconds), int(connections), host))
    sys.stdout.write(f"{answered}\n")
