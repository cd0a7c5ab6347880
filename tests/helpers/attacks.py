"""Attacks that a person can send from outside, to any platform, and how each is answered.

Each is a folder that somebody deploys. None may run code of its packages, reach another address
than the index, or end in anything but a failure with its reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.helpers.uv_locks import uv_lock

# An address that nobody may ask; 0 and 9 are ports where nobody listens.
_ELSEWHERE = "http://127.0.0.1:9"
_RUNS = "raise SystemExit('code of a package ran: canary-that-ran')\n"
RAN = "canary-that-ran"


@dataclass(frozen=True)
class DeployedAttack:
    """A source, and the reason of its failure."""

    files: dict[str, str]
    reason: str
    runtime: str = "python"


_MAIN = {"main.py": "def handler(event):\n    return 'hello'\n"}


def _requirements(text: str) -> dict[str, str]:
    return _MAIN | {"requirements.txt": f"{text}\n"}


def _lock(source: str) -> dict[str, str]:
    """A lock of uv whose package has this source, and a build backend that tells that it ran."""
    return _MAIN | {
        "pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.8"\n'
        'dependencies = ["evil"]\n',
        "uv.lock": uv_lock(
            "evil",
            version="1.0",
            source=f"{{ {source} }}",
            required=f'{{ name = "evil", {source} }}',
        ),
        "sub/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n[project]\nname = "evil"\nversion = "1.0"\n',
        "sub/backend.py": _RUNS,
    }


def _node(version: str) -> dict[str, str]:
    manifest = {"dependencies": {"evil": version}}
    return {
        "index.js": "exports.handler = async () => 'hello';\n",
        "package.json": json.dumps(manifest),
    }


_REFUSED = "PackageSourceRefused"
DEPLOYED_ATTACKS: dict[str, DeployedAttack] = {
    "a lock with an editable folder": DeployedAttack(
        _lock('editable = "../../source/sub"'), _REFUSED
    ),
    "a lock with a folder": DeployedAttack(_lock('directory = "sub"'), _REFUSED),
    "a wheel elsewhere": DeployedAttack(
        _requirements(f"evil @ {_ELSEWHERE}/evil-1.0-py3-none-any.whl"), _REFUSED
    ),
    "a repository": DeployedAttack(
        _requirements("evil @ git+https://elsewhere.invalid/evil.git"), _REFUSED
    ),
    "another index": DeployedAttack(
        _requirements(f"--index-url {_ELSEWHERE}/simple\nevil==1.0"), "PackageIndexNotAllowed"
    ),
    "a tarball elsewhere": DeployedAttack(_node(f"{_ELSEWHERE}/evil.tgz"), _REFUSED, "nodejs"),
    "a repository for npm": DeployedAttack(
        _node("git+https://elsewhere.invalid/evil.git"), _REFUSED, "nodejs"
    ),
}

# Requests that are refused before anything is recorded -> words of what is told.
REFUSED_REQUESTS: dict[str, tuple[dict[str, object], str]] = {
    "the Secret that nodes pull with": (
        {
            "env": [
                {
                    "name": "A",
                    "secretKeyRef": {"name": "knative-lambda-pull", "key": ".dockerconfigjson"},
                }
            ]
        },
        "platform's own Secrets",
    ),
    "a source of the machine": ({"source": {"uri": "file:///etc/passwd"}}, "source.uri"),
    "a source of another tenant": (
        {"source": {"uri": "s3://sources/other-tenant/secret.zip"}},
        "source.uri",
    ),
}
