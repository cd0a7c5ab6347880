"""A runtime's server as a real process, and a client that speaks CloudEvents to it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "event-1",
    "source": "/tests",
    "type": "com.example.tested",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class FunctionProcess:
    """One function, serving until it is stopped."""

    def __init__(self, command: list[str], root: Path, environment: Mapping[str, str]) -> None:
        self.port = _free_port()
        self._output: list[str] = []
        self.process = subprocess.Popen(
            command,
            env={
                "PATH": "/usr/bin:/bin",
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
                "FUNCTION_ROOT": str(root),
                "FUNCTION_NAME": "shop/greeter",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            self._output.extend(iter(stream.readline, ""))

    @property
    def log(self) -> str:
        return "".join(self._output)

    def wait_until_ready(self, path: str = "/health/readiness") -> None:
        for _ in _until(15):
            if self.process.poll() is not None:
                self._reader.join()
                raise AssertionError(self.log)
            try:
                if self.request("GET", path).status == 200:
                    return
            except ConnectionError:
                continue
        raise AssertionError(self.log)

    def wait_for_log(self, text: str) -> str:
        for _ in _until(10):
            if text in self.log:
                return self.log
        raise AssertionError(self.log)

    def ended(self) -> int:
        """The exit status; all of the log is there afterwards."""
        status = self.process.wait(timeout=20)
        self._reader.join()
        return status

    def stop(self) -> int:
        self.process.terminate()
        return self.ended()

    def close(self) -> None:
        self.process.kill()
        self.ended()

    def request(
        self,
        method: str,
        path: str = "/",
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def requests(self, asked: list[tuple[str, bytes | Iterator[bytes] | None]]) -> list[bytes]:
        """The bodies of answers to several requests on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            bodies = []
            for method, body in asked:
                chunked = body is not None and not isinstance(body, bytes)
                connection.request(method, "/", body, encode_chunked=chunked)
                bodies.append(connection.getresponse().read())
            return bodies
        finally:
            connection.close()

    def leave(self, method: str, path: str) -> None:
        """Go away once the answer has begun."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path)
        connection.getresponse().close()
        connection.close()

    def send(
        self,
        data: object = None,
        content_type: str | None = "application/json",
        **attributes: str | None,
    ) -> Answer:
        """A binary event; attributes that are None are left out."""
        chosen = {**ATTRIBUTES, **attributes}
        headers = {f"ce-{name}": value for name, value in chosen.items() if value is not None}
        if content_type is not None:
            headers["content-type"] = content_type
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return self.request("POST", "/", body, headers)

    def send_structured(self, event: object) -> Answer:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.request("POST", "/", body, {"content-type": "application/cloudevents+json"})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
