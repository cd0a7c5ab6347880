"""Clients of the two debuggers' protocols, as an editor has them.

DAP: https://microsoft.github.io/debug-adapter-protocol/ ; the inspector of Node.js speaks
https://chromedevtools.github.io/devtools-protocol/v8/ over a WebSocket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Self

from tests.helpers.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiohttp


class _Messages:
    """What a debugger sends, in whichever order it is awaited."""

    def __init__(self, read: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._read = read
        self._kept: list[dict[str, Any]] = []

    async def next(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for message in self._kept:
                    if wanted(message):
                        self._kept.remove(message)
                        return message
                self._kept.append(await self._read())


class DebugAdapter:
    """One client of a debug adapter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._sent = 0
        self._messages = _Messages(self._read)

    @classmethod
    async def attach(cls, configuration: dict[str, Any]) -> Self:
        """Attach as a configuration of launch.json says, once somebody listens."""
        place = configuration["connect"]
        self = cls(*await _until_connected(place["host"], place["port"]))
        await self.request("initialize", adapterID="debugpy", pathFormat="path")
        # Its response comes after configurationDone only.
        await self.send("attach", **configuration)
        await self.event("initialized")
        return self

    async def send(self, command: str, **arguments: Any) -> int:
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command}
        body = json.dumps({**message, "arguments": arguments}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        await self._writer.drain()
        return self._sent

    async def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        number = await self.send(command, **arguments)
        response = await self._messages.next(lambda message: message.get("request_seq") == number)
        assert response["success"], response
        return response.get("body") or {}

    async def event(self, name: str) -> dict[str, Any]:
        event = await self._messages.next(lambda message: message.get("event") == name)
        return event.get("body") or {}

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _read(self) -> dict[str, Any]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b":")[2])
        return json.loads(await self._reader.readexactly(length))


class Inspector:
    """One client of Node's inspector."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self._messages = _Messages(socket.receive_json)

    @classmethod
    async def attach(cls, session: aiohttp.ClientSession, configuration: dict[str, Any]) -> Self:
        address, port = configuration["address"], configuration["port"]
        _, writer = await _until_connected(address, port)
        writer.close()
        async with session.get(f"http://{address}:{port}/json/list") as response:
            (target,) = await response.json()
        self = cls(await session.ws_connect(target["webSocketDebuggerUrl"]))
        await self.request("Runtime.enable")
        await self.request("Debugger.enable")
        return self

    async def request(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._sent += 1
        number = self._sent
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        response = await self._messages.next(lambda message: message.get("id") == number)
        assert "error" not in response, response
        return response["result"]

    async def event(self, method: str) -> dict[str, Any]:
        event = await self._messages.next(lambda message: message.get("method") == method)
        return event["params"]

    async def close(self) -> None:
        await self._socket.close()


async def _until_connected(host: str, port: int) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.05)
