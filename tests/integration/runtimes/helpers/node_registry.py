"""A registry of a test's own packages, and servers that must see no request, over loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.helpers.http_server import serving_requests

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.helpers.certificate_authority import Authority


def packed(manifest: dict[str, Any], **files: str) -> bytes:
    """A package as npm publishes it."""
    content = io.BytesIO()
    members = {"package.json": json.dumps(manifest), "index.js": "", **files}
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


def integrity(content: bytes, algorithm: str = "sha512") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}-{base64.b64encode(digest).decode()}"


@dataclass
class Server:
    """What answers at `url`, and what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    authorization: str | None = None
    redirects: dict[str, str] = field(default_factory=dict)
    status: int = 404

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def publish(
        self, manifest: dict[str, Any], *, tarball: str | None = None, **files: str
    ) -> bytes:
        """Add a version of a package to this registry, whose files may be elsewhere."""
        name, version = manifest["name"], manifest["version"]
        content = packed(manifest, **files)
        path = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self.files[path] = content
        document = json.loads(self.files.get(f"/{name}", b"{}")) or {"name": name, "versions": {}}
        has_script = "install" in manifest.get("scripts", {})
        document["versions"][version] = {
            **manifest,
            "hasInstallScript": has_script,
            "dist": {"tarball": tarball or f"{self.url}{path}", "integrity": integrity(content)},
        }
        document["dist-tags"] = {"latest": version}
        self.files[f"/{name}"] = json.dumps(document).encode()
        return content


@contextlib.contextmanager
def serving(authority: Authority | None = None, *, path: str = "") -> Iterator[Server]:
    """A server of files; `authority` is that of localhost."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = unquote(self.path).partition("?")[0].removeprefix(path)
            state.requests.append((self.path, self.headers.get("authorization")))
            body = state.files.get(asked)
            status = 200 if body is not None else state.status
            if state.authorization not in {None, self.headers.get("authorization")}:
                status, body = 401, None
            target = state.redirects.get(asked)
            self.send_response(302 if target else status)
            if target:
                self.send_header("location", target)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        do_HEAD = do_POST = do_GET  # noqa: N815 - as http.server calls it

        def do_CONNECT(self) -> None:
            state.requests.append((self.path, None))
            self.send_error(403)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            ...

    class Listener(ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, Any]:
            try:
                return super().get_request()
            except OSError:
                # Somebody who does not trust the certificate has been here as well.
                state.requests.append(("handshake", None))
                raise

    with serving_requests(Handler, authority, server_class=Listener) as base:
        state.url = f"{base}{path}"
        yield state
