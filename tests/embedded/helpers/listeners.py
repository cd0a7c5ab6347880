"""The ports of an embedded platform as an attacker sees them."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.helpers.platform_access import trust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

_LISTENS = "0A"


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def reason(self) -> str:
        return str(json.loads(self.body)["reason"])


@dataclass(frozen=True)
class Listener:
    """One port: where it is, and what on it would be worth an attack."""

    name: str
    url: str
    path: str
    platform: EmbeddedPlatform

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def request(
        self,
        method: str = "POST",
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """Send a request just as it is given; a Host among the headers takes the place of ours."""
        place = f"127.0.0.1:{self.port}"
        if self.url.startswith("https:"):
            tls = trust(self.platform.kubeconfig)
            connection: Any = http.client.HTTPSConnection(place, timeout=30, context=tls)
        else:
            connection = http.client.HTTPConnection(place, timeout=30)
        try:
            given = dict(headers or {})
            connection.putrequest(method, path or self.path, skip_host="Host" in given)
            for name, text in {**given, "Content-Length": str(len(body))}.items():
                connection.putheader(name, text)
            connection.endheaders(body)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()


def listeners(platform: EmbeddedPlatform, function: str) -> dict[str, Listener]:
    return {
        "gateway": Listener("gateway", platform.gateway_url, f"/default/{function}", platform),
        "broker": Listener(
            "broker", platform.broker_url, "/knative-lambda/knative-lambda", platform
        ),
        "api": Listener("api", platform.api_url, "/api/v1/namespaces/default/secrets", platform),
    }


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """Address (as the kernel writes it) and port of every socket on which a process listens."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found
