"""Real package indexes that let in one reader alone: pypiserver and verdaccio."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import sys
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from tests.helpers.package_indexes import PYTHON_FILES
from tests.helpers.server_processes import started_server
from tests.integration.runtimes.helpers.node_registry import integrity, packed
from tests.integration.runtimes.helpers.python_projects import (
    BETA,
    PUBLIC,
    PUBLIC_FILES,
    requirements,
    uv_lock,
    wheels,
)
from tests.integration.runtimes.helpers.recipe_process import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

USERNAME = "builds"
# Whatever an address, a header or a settings file has to encode or to quote.
PASSWORD = f"canary/@:%${{HOME}}-{uuid.uuid4().hex}"
_HTPASSWD = (
    f"{USERNAME}:{{SHA}}{base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()}\n"
)

_NODE_PACKAGES = {
    "alpha": {"name": "alpha", "version": "1.0.0", "dependencies": {"@corp/beta": "^1.0.0"}},
    "@corp/beta": {"name": "@corp/beta", "version": "1.5.0"},
}


@dataclass(frozen=True, kw_only=True)
class PrivateIndex:
    """A server that runs, and sources whose packages it has."""

    url: str
    folder: Path = field(repr=False)
    runtime: str
    request: re.Pattern[str]
    """Finds the path of a request in the server's log."""
    refusal: str
    """What it answers to a wrong password."""
    source: dict[str, str]
    locked: dict[str, str]
    """A source with a lock of a public index."""
    missing: dict[str, str]
    installed: set[str]
    """Of `source`, among other files."""

    def requests(self) -> list[str]:
        """The paths that anybody has asked for so far."""
        logs = sorted(self.folder.glob("server-*.log"))
        return [path for log in logs for path in self.request.findall(log.read_text())]

    def settings(self, password: str | None = PASSWORD) -> dict[str, str]:
        """Of a build, as its Job and its Secret have them."""
        index = {"PACKAGE_INDEX_URL": self.url}
        if password is None:
            return index
        credentials = {"username": USERNAME, "password": password}
        return {**index, "PACKAGE_INDEX_CREDENTIALS": json.dumps(credentials)}

    def address(self, password: str = PASSWORD) -> dict[str, str]:
        """The same in one address, as the owner of a machine may write it."""
        return {
            "PACKAGE_INDEX_URL": self.url.replace(
                "://", f"://{USERNAME}:{quote(password, safe='')}@"
            )
        }


@contextlib.contextmanager
def pypiserver(folder: Path) -> Iterator[PrivateIndex]:
    """The Python index of PYTHON_FILES."""
    (folder / "packages").mkdir()
    for name, content in PYTHON_FILES.items():
        (folder / "packages" / name).write_bytes(content)
    (folder / "htpasswd").write_text(_HTPASSWD)
    program = str(Path(sys.executable).with_name("pypi-server"))
    options = ["-v", "-a", "list,download,update", "-P", str(folder / "htpasswd")]
    options += ["--disable-fallback", "--server", "wsgiref", "-i", "127.0.0.1"]

    def command(port: int) -> list[str]:
        return [program, "run", *options, "-p", str(port), str(folder / "packages")]

    with started_server(command, folder) as port:
        yield PrivateIndex(
            url=f"http://127.0.0.1:{port}/simple",
            folder=folder,
            runtime=f"python{VERSIONS['python']}",
            request=re.compile(r'"GET (\S+) HTTP'),
            refusal="403 Forbidden",
            source=requirements("alpha"),
            locked=uv_lock(f'{{ registry = "{PUBLIC}" }}', fields=wheels(f"{PUBLIC_FILES}/{BETA}")),
            missing=requirements("gone"),
            installed={"alpha.py", "beta/deep.py"},
        )


@contextlib.contextmanager
def verdaccio(node: str, packages: Path, folder: Path) -> Iterator[PrivateIndex]:
    """A registry of npm from `packages`, its node_modules."""
    (folder / "htpasswd").write_text(_HTPASSWD)
    everything = {"access": "$authenticated", "publish": "$authenticated"}
    settings = {
        "storage": str(folder / "storage"),
        "auth": {"htpasswd": {"file": str(folder / "htpasswd"), "max_users": -1}},
        "packages": {"**": everything},
        "web": {"enable": False},
        "log": {"type": "stdout", "format": "json", "level": "http"},
    }
    (folder / "config.yaml").write_text(json.dumps(settings))
    program = [node, str(packages / "verdaccio" / "bin" / "verdaccio")]
    options = ["--config", str(folder / "config.yaml")]

    def command(port: int) -> list[str]:
        return [*program, *options, "--listen", f"127.0.0.1:{port}"]

    with started_server(command, folder) as port:
        url = f"http://127.0.0.1:{port}/"
        for manifest in _NODE_PACKAGES.values():
            _publish(url, manifest)
        yield PrivateIndex(
            url=url,
            folder=folder,
            runtime=f"nodejs{VERSIONS['nodejs']}",
            request=re.compile(r"requested 'GET ([^']+)'"),
            refusal="401",
            source=_node_source("alpha"),
            locked={**_node_source("@corp/beta"), "package-lock.json": _node_lock("@corp/beta")},
            missing=_node_source("gone"),
            installed={"alpha/package.json", "@corp/beta/package.json"},
        )


def _node_source(dependency: str) -> dict[str, str]:
    manifest = {"name": "f", "version": "1.0.0", "dependencies": {dependency: "^1.0.0"}}
    return {"index.js": "", "package.json": json.dumps(manifest)}


def _node_lock(name: str) -> str:
    manifest = _NODE_PACKAGES[name]
    file = f"{name.rpartition('/')[2]}-{manifest['version']}.tgz"
    package = {
        "version": manifest["version"],
        "resolved": f"https://registry.npmjs.org/{name}/-/{file}",
        "integrity": integrity(packed(manifest)),
    }
    root = json.loads(_node_source(name)["package.json"])
    packages = {"": root, f"node_modules/{name}": package}
    return json.dumps({"lockfileVersion": 3, "packages": packages})


def _publish(url: str, manifest: dict[str, object]) -> None:
    """Send a package as `npm publish` does."""
    name, version = str(manifest["name"]), str(manifest["version"])
    content = packed(manifest)
    file = f"{name}-{version}.tgz"
    dist = {"integrity": integrity(content), "shasum": hashlib.sha1(content).hexdigest()}
    dist["tarball"] = f"{url}{name}/-/{file}"
    document = {
        "_id": name,
        "name": name,
        "dist-tags": {"latest": version},
        "versions": {version: {**manifest, "dist": dist}},
        "_attachments": {
            file: {
                "content_type": "application/octet-stream",
                "data": base64.b64encode(content).decode(),
                "length": len(content),
            }
        },
    }
    headers = urllib3.make_headers(basic_auth=f"{USERNAME}:{PASSWORD}")
    with urllib3.PoolManager(headers=headers) as server:
        answer = server.request("PUT", f"{url}{quote(name, safe='@')}", json=document)
    assert answer.status == HTTPStatus.CREATED, answer.data
