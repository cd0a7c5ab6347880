"""Real git servers over https: git's own http-backend, behind a server of this process."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from tests.helpers.http_server import serving_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.helpers.certificate_authority import Authority

GIT = ("git", "apt-get install git")
_ENVIRONMENT = {
    **os.environ,  # noqa: TID251  # of this machine, for its git
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Repository:
    """A repository on disk."""

    folder: Path

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run git in it, and return what it prints."""
        ran = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=_ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return ran.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | bytes]) -> str:
        """Write files, commit them, and return the commit."""
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


def make_repository(folder: Path, *options: str) -> Repository:
    """An empty repository with the branch main."""
    folder.mkdir(parents=True)
    repository = Repository(folder)
    repository.git("init", "--quiet", "--initial-branch=main", *options)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return repository


@dataclass
class GitServer:
    """A server of all repositories below a folder."""

    url: str
    root: Path
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Authorization of each."""

    @property
    def host(self) -> str:
        """Host and port, as an operator allows them."""
        return urlsplit(self.url).netloc

    def repository(self, name: str, *options: str) -> Repository:
        """Make a repository; the options are those of `git init`."""
        return make_repository(self.root / name, *options)


@contextlib.contextmanager
def serving_git(
    root: Path, authority: Authority, *, authorization: str | None = None, version: int = 2
) -> Iterator[GitServer]:
    """Serve repositories; only to those who send this header, if one is given."""
    server = GitServer("", root)

    class _Backend(BaseHTTPRequestHandler):
        log_message: ClassVar = lambda *_: None

        def do_GET(self) -> None:
            self._respond(b"")

        def do_POST(self) -> None:
            self._respond(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _respond(self, body: bytes) -> None:
            given = self.headers.get("Authorization")
            server.requests.append((self.path, given))
            if authorization not in {None, given}:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=git")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            protocol = self.headers.get("Git-Protocol", "") if version == 2 else ""
            ran = subprocess.run(
                ["git", "http-backend"],
                env={
                    **_ENVIRONMENT,
                    "GIT_PROJECT_ROOT": str(root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": protocol,
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                },
                input=body,
                capture_output=True,
                check=False,  # it tells the client what is wrong, and fails
            )
            head, _, content = ran.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving_requests(_Backend, authority) as url:
        server.url = url
        yield server


def basic(username: str, password: str) -> str:
    """The header of a user."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
