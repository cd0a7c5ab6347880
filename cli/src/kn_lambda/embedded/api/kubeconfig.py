"""The kubeconfig by which clients find the embedded platform's API, and its token."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import yaml

from kn_lambda.embedded.data_folder import write_private

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "kn-lambda-embedded"
_TOKEN_BYTES = 32


def kubeconfig(url: str, token: str) -> dict[str, Any]:
    """Return a kubeconfig with one context, for the Kubernetes client libraries and kubectl."""
    # kubectl sends tokens over TLS only, but a proxy's credentials always: so it is told that the
    # API is its own proxy. The client libraries read the user's token and no proxy-url.
    scheme, _, place = url.partition("://")
    cluster = {"server": url, "proxy-url": f"{scheme}://{_NAME}:{token}@{place}"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": {"token": token}}],
        "contexts": [
            {"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": "default"}}
        ],
        "current-context": _NAME,
    }


def write_kubeconfig(path: Path, url: str, token: str) -> None:
    """Write a kubeconfig at once, readable by its owner alone."""
    write_private(path, yaml.safe_dump(kubeconfig(url, token), sort_keys=False))


def read_or_create_token(path: Path) -> str:
    """Return the token of an earlier kubeconfig, so that copies of it stay valid, or a new one."""
    try:
        token = yaml.safe_load(path.read_text())["users"][0]["user"]["token"]
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError, UnicodeDecodeError):
        token = None
    return token if isinstance(token, str) and token else secrets.token_urlsafe(_TOKEN_BYTES)
