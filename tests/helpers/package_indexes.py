"""Package indexes of a handful of packages, served from this process over loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.helpers.http_server import serving_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.helpers.certificate_authority import Authority


def wheel(name: str, version: str, *, requires: str = "", files: dict[str, str]) -> bytes:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    members = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{member},,\n" for member in members) + f"{info}/RECORD,,\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)
    return content.getvalue()


def tarball(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


PYTHON_FILES = {
    "alpha-1.0-py3-none-any.whl": wheel(
        "alpha",
        "1.0",
        requires="beta>=1",
        files={"alpha.py": "def main(): ...\nVALUE = {'a', 'b'}\n"},
    ),
    "alpha-0.9-py3-none-any.whl": wheel("alpha", "0.9", files={"alpha.py": "OLD = True\n"}),
    "beta-1.5-py3-none-any.whl": wheel(
        "beta", "1.5", files={"beta/__init__.py": "", "beta/deep.py": "NAME = __name__\n"}
    ),
    "sourceonly-1.0.tar.gz": tarball(
        {
            "sourceonly-1.0/PKG-INFO": "Metadata-Version: 2.1\nName: sourceonly\nVersion: 1.0\n",
            "sourceonly-1.0/setup.py": "raise SystemExit('code of the package ran')\n",
        }
    ),
}
NODE_PACKAGES = {
    "alpha": tarball(
        {
            "package/package.json": '{"name": "alpha", "version": "1.2.3", "main": "index.js",'
            ' "bin": {"alpha": "index.js"},'
            ' "scripts": {"install": "touch ran"}}',
            "package/index.js": "module.exports = 'alpha';",
        }
    ),
    "beta": tarball({"package/package.json": '{"name": "beta", "version": "1.2.3"}'}),
}
# What each is served as: a range without a lock gives the newest.
NODE_VERSIONS = ("1.2.2", "1.2.3")


@contextlib.contextmanager
def python_index(
    authority: Authority | None = None,
    *,
    credential: tuple[str, str] | None = None,
    more: Mapping[str, bytes] | None = None,
) -> Iterator[str]:
    """The simple repository API of PYTHON_FILES and more; HTTPS with the `authority` of localhost.

    With a credential, user name and password, nobody else is let in.
    """
    known = {**PYTHON_FILES, **(more or {})}

    def content(path: str, _base: str) -> bytes | None:
        if path.startswith("/files/"):
            return known.get(path.removeprefix("/files/"))
        name = path.removeprefix("/simple/").strip("/")
        files = [file for file in known if file.startswith(f"{name}-")]
        links = [
            f'<a href="/files/{file}#sha256={hashlib.sha256(known[file]).hexdigest()}">{file}</a>'
            for file in files
        ]
        return "\n".join(links).encode() if links else None

    with _served(content, "text/html", authority, credential=credential) as base:
        yield f"{base}/simple"


@dataclass(frozen=True)
class FileServer:
    """A server that is no index."""

    url: str
    requested: list[str]
    """The paths that anybody asked for."""


@contextlib.contextmanager
def file_server(files: Mapping[str, bytes | str]) -> Iterator[FileServer]:
    """Path -> content, or the address that it is redirected to; anything else is 404."""
    requested: list[str] = []

    def content(path: str, _base: str) -> bytes | str | None:
        requested.append(path)
        return files.get(path)

    with _served(content, "application/octet-stream") as base:
        yield FileServer(base, requested)


@contextlib.contextmanager
def node_index() -> Iterator[str]:
    """A registry of NODE_PACKAGES."""

    def content(path: str, base: str) -> bytes | None:
        name = path.strip("/").removesuffix(".tgz")
        archive = NODE_PACKAGES.get(name)
        if archive is None or path.endswith(".tgz"):
            return archive
        digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
        versions = {
            number: {
                "name": name,
                "version": number,
                "scripts": {"install": "touch ran"},
                "hasInstallScript": True,
                "bin": {name: "index.js"},
                "dist": {"tarball": f"{base}/{name}.tgz", "integrity": f"sha512-{digest}"},
            }
            for number in NODE_VERSIONS
        }
        document = {"name": name, "dist-tags": {"latest": NODE_VERSIONS[-1]}, "versions": versions}
        return json.dumps(document).encode()

    with _served(content, "application/json") as base:
        yield base


@contextlib.contextmanager
def _served(
    content: Callable[[str, str], bytes | str | None],
    media_type: str,
    authority: Authority | None = None,
    *,
    credential: tuple[str, str] | None = None,
) -> Iterator[str]:
    expected = f"Basic {base64.b64encode(':'.join(credential or ()).encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if credential is not None and self.headers.get("authorization") != expected:
                self.send_response(401)
                self.send_header("www-authenticate", 'Basic realm="packages"')
                self.send_header("content-length", "0")
                self.end_headers()
                return
            base = f"http://{self.headers['host']}"
            body = content(self.path.partition("?")[0], base)
            if isinstance(body, str):
                self.send_response(302)
                self.send_header("location", body)
                body = b""
            else:
                self.send_response(200 if body is not None else 404)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        do_HEAD = do_GET  # noqa: N815 - as http.server calls it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            ...

    with serving_requests(Handler, authority) as base:
        yield base
