"""What a program shows and trusts that speaks to an embedded platform by its data folder."""

from __future__ import annotations

import base64
import functools
import ssl
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path


def token_header(home: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {(home / 'token').read_text().strip()}"}


def trust(kubeconfig: Path) -> ssl.SSLContext:
    """Return a context that trusts the authority of a kubeconfig, and no other."""
    return _trust_of(kubeconfig.read_text())


@functools.lru_cache  # who waits asks twenty times a second, and each time it took 4 ms
def _trust_of(kubeconfig: str) -> ssl.SSLContext:
    cluster = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return ssl.create_default_context(cadata=authority)
