"""Kubeconfigs that select one cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_kubeconfig(
    file: Path, server: str, *, token: str = "t", certificate: Path | None = None
) -> None:
    """Write a file whose current context is this server, as the user with this token."""
    authority = {} if certificate is None else {"certificate-authority": str(certificate)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **authority}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }
    file.write_text(json.dumps(config))
