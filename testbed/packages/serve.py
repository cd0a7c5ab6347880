"""Serves a folder of wheels and npm tarballs as one package index for uv, pip and npm."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sys
import tarfile
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


class Index:
    """What the folder holds, read once."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.name: path for path in folder.iterdir()}
        self._pages: dict[str, list[str]] = {}
        self._documents: dict[str, dict[str, Any]] = {}
        for path in sorted(self.files.values()):
            if path.suffix == ".whl":
                self._add_wheel(path)
            else:
                self._add_tarball(path)

    def _add_wheel(self, path: Path) -> None:
        name = re.sub(r"[-_.]+", "-", path.name.partition("-")[0]).lower()
        address = f"/files/{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}"
        link = f'<a href="{html.escape(address)}">{html.escape(path.name)}</a>'
        self._pages.setdefault(name, []).append(link)

    def _add_tarball(self, path: Path) -> None:
        with tarfile.open(path) as archive:
            member = next(m for m in archive if re.fullmatch(r"[^/]+/package\.json", m.name))
            content = archive.extractfile(member)
            package = json.load(content) if content else {}
        digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        package["dist"] = {"tarball": path.name, "integrity": f"sha512-{digest}"}
        name, version = package["name"], package["version"]
        document = self._documents.setdefault(name, {"name": name, "versions": {}})
        document["versions"][version] = package
        document["dist-tags"] = {"latest": version}

    def page(self, name: str) -> bytes | None:
        """Return the links of a Python project, None for one that is not here."""
        links = self._pages.get(name)
        return "<br>\n".join(["<!DOCTYPE html>", *links]).encode() if links else None

    def document(self, name: str, base: str) -> bytes | None:
        """Return what npm wants to know of a package, None for one that is not here."""
        found = self._documents.get(name)
        if found is None:
            return None
        document = json.loads(json.dumps(found))
        for package in document["versions"].values():
            package["dist"]["tarball"] = f"{base}/files/{package['dist']['tarball']}"
        return json.dumps(document).encode()


def handler_of(index: Index) -> type[BaseHTTPRequestHandler]:
    """Return a handler that answers from the index: `/name/` for Python, `/name` for npm."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.wfile.write(self._answer())

        def do_HEAD(self) -> None:
            self._answer()

        def _answer(self) -> bytes:
            path = unquote(self.path.partition("?")[0])
            kind, content = "application/octet-stream", None
            if path.startswith("/files/"):
                file = index.files.get(path.removeprefix("/files/"))
                content = file.read_bytes() if file else None
            elif path.endswith("/"):
                kind, content = "text/html", index.page(path.strip("/"))
            else:
                base = f"http://{self.headers['Host']}"
                kind, content = "application/json", index.document(path.strip("/"), base)
            self.send_response(HTTPStatus.OK if content is not None else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            return content or b""

    return Handler


def main(folder: str, address: str, port: str) -> None:
    """Serve until ended."""
    handler = handler_of(Index(Path(folder)))
    ThreadingHTTPServer((address, int(port)), handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
