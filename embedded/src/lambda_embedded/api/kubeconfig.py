"""The kubeconfig with which clients reach the embedded platform's API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

from lambda_embedded.private_files import write_private

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "kn-lambda-embedded"


def kubeconfig(url: str, *, certificate: str, token_file: Path) -> dict[str, Any]:
    """Return a kubeconfig with one context, for the Kubernetes client libraries and kubectl.

    It names the token's file instead of holding the token: people share their kubeconfigs.
    """
    authority = base64.b64encode(certificate.encode()).decode()
    cluster = {"server": url, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": {"tokenFile": str(token_file.absolute())}}],
        "contexts": [
            {"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": "default"}}
        ],
        "current-context": _NAME,
    }


def write_kubeconfig(path: Path, url: str, *, certificate: str, token_file: Path) -> None:
    """Write a kubeconfig atomically, readable by its owner alone."""
    config = kubeconfig(url, certificate=certificate, token_file=token_file)
    write_private(path, yaml.safe_dump(config, sort_keys=False))
