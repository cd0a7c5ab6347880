"""A real registry of its own for each test module, and what it was asked."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "builder", "registry-password"
# bcrypt of PASSWORD: the only kind that this registry reads.
PASSWORD_FILE = f"{USER}:$2y$05$abcdefghijklmnopqrstuux7DVfxfgfXTmp/9Tsk6HzX2QQGjxePG\n"
_REQUEST = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1" (\d{3})')


@dataclass(frozen=True)
class Registry:
    """Where it is and where it writes down its requests."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self) -> list[tuple[str, str, int]]:
        """Method, path and status of every request so far."""
        found = _REQUEST.findall(self.log.read_text())
        return [(method, path, int(status)) for method, path, status in found]

    def docker_config(self, folder: Path, password: str = PASSWORD) -> str:
        """A `DOCKER_CONFIG` folder with credentials for it."""
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": {self.host: {"auth": auth}}}))
        return str(folder)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@contextlib.contextmanager
def running_registry(program: str, folder: Path, auth: str = "") -> Iterator[Registry]:
    """Run `docker-registry`; `auth` is the part of its settings of that name."""
    registry = Registry(free_port(), folder / "log")
    (folder / "config.yml").write_text(
        "version: 0.1\n"
        "log: {level: warn}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '{registry.host}', secret: test}}\n" + auth
    )
    with registry.log.open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", str(folder / "config.yml")],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"OTEL_TRACES_EXPORTER": "none"},
        )
    try:
        _wait_until_it_answers(registry, process)
        yield registry
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running_password_registry(program: str, folder: Path) -> Iterator[Registry]:
    """Run `docker-registry` for `USER` with `PASSWORD` alone."""
    (folder / "htpasswd").write_text(PASSWORD_FILE)
    auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    with running_registry(program, folder, auth) as registry:
        yield registry


def _wait_until_it_answers(registry: Registry, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"{registry.url}/v2/", timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            assert process.poll() is None, registry.log.read_text()
            assert time.monotonic() < deadline, "the registry does not answer"
            time.sleep(0.05)
        else:
            return
