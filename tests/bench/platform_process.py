"""An embedded platform in a data folder of its own, and the ways into it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.bench.process_accounts import tree, variable_of
from tests.helpers.platform_access import token_header, trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from types import TracebackType

_ANY_PORT = ("--port", "0", "--broker-port", "0", "--api-port", "0")
_PATIENCE_SECONDS = 300.0
_STOP_SECONDS = 30.0
_REST_SECONDS = 1.0
_FUNCTIONS = {folder.name for folder in (Path(__file__).parents[2] / "functions").iterdir()}
# As long as a delivery may take.
_TIMEOUT_SECONDS = 150.0


class Connection:
    """One connection that is kept open; for one thread."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._headers = dict(headers or {})
        place = urlsplit(url).netloc
        self._connection = (
            http.client.HTTPConnection(place, timeout=_TIMEOUT_SECONDS)
            if context is None
            else http.client.HTTPSConnection(place, timeout=_TIMEOUT_SECONDS, context=context)
        )

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a connection the server has closed is opened again."""
        try:
            return self._once(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            return self._once(method, path, body, headers)

    def json(self, method: str, path: str, document: object = None) -> dict[str, Any]:
        """The answer's document; anything but success is an error."""
        body = b"" if document is None else json.dumps(document).encode()
        status, answer = self.request(method, path, body, {"Content-Type": "application/json"})
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {status} {answer[:500].decode()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def send_event(self, path: str, data: object, **attributes: str) -> tuple[int, bytes]:
        """Send a CloudEvent in binary mode."""
        headers = {f"ce-{name}": value for name, value in attributes.items()}
        headers |= {"ce-specversion": "1.0", "Content-Type": "application/json"}
        return self.request("POST", path, json.dumps(data).encode(), headers)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def _once(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body or None, {**self._headers, **(headers or {})})
        answer = self._connection.getresponse()
        return answer.status, answer.read()


@dataclass(eq=False)
class Platform:
    """`python -m lambda_embedded` on free ports; within `with` it runs."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    start_seconds: float = 0.0

    def __enter__(self) -> Self:
        """Start, and wait until it says that it is ready."""
        begin = time.perf_counter()
        log = self.home.with_suffix(".log")
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lambda_embedded", "--home", str(self.home), *_ANY_PORT],
                # The rest of the environment says where packages come from.
                env={**os.environ, **self.environment},  # noqa: TID251
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(log)
        except BaseException:
            self._stop()
            raise
        self.start_seconds = time.perf_counter() - begin
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it; no process is left."""
        self._stop()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it for the block, and start it again on its folder."""
        self._stop()
        yield
        self.__enter__()

    @property
    def pid(self) -> int:
        """Of the platform's own process."""
        return self._process.pid

    def control_functions(self) -> dict[str, list[int]]:
        """Processes of each control function that runs."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for pid in tree(self.pid):
            # A process may end while it is looked at, and most are no functions.
            with contextlib.suppress(LookupError, OSError):
                name = variable_of(pid, "K_SERVICE")
                if name in _FUNCTIONS:
                    found[name].append(pid)
        return dict(found)

    def await_zero(self) -> None:
        """Wait until no control function runs; a platform that starts tells of its Jobs first."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        time.sleep(_REST_SECONDS)
        while running := self.control_functions():
            if time.monotonic() > deadline:
                raise TimeoutError(f"these do not stop: {', '.join(running)}")
            time.sleep(_REST_SECONDS)

    def kn_lambda(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line as a person does."""
        return subprocess.run(
            [sys.executable, "-m", "kn_lambda", *map(str, arguments)],
            env={**os.environ, **self.environment, "KN_LAMBDA_HOME": str(self.home)},  # noqa: TID251
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )

    def gateway(self) -> Connection:
        """A connection to the lambdas."""
        return Connection(self.urls["gateway"])

    def broker(self) -> Connection:
        """A connection to the Brokers."""
        return Connection(self.urls["broker"], token_header(self.home))

    def api(self) -> Connection:
        """A connection to the Kubernetes API."""
        return Connection(self.urls["api"], self.api_headers(), context=self._trust())

    def open_api(self, timeout: float | None) -> http.client.HTTPConnection:
        """A connection to the Kubernetes API that is left to the caller."""
        place = urlsplit(self.urls["api"]).netloc
        return http.client.HTTPSConnection(place, timeout=timeout, context=self._trust())

    def api_headers(self) -> dict[str, str]:
        """Who asks the Kubernetes API."""
        return token_header(self.home)

    def _trust(self) -> ssl.SSLContext:
        return trust(self.home / "kubeconfig")

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        announced = self.home / "platform.json"
        while not self._announced(announced):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the platform does not start: {log.read_text()[-2000:]}")
            time.sleep(0.005)

    def _announced(self, file: Path) -> bool:
        try:
            facts = json.loads(file.read_text())
        except (OSError, ValueError):
            return False
        self.urls = facts["urls"]
        return bool(facts["pid"] == self._process.pid)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
