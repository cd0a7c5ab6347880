"""Credentials of registries, from the config.json that docker and Kubernetes use."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path


def basic_credentials(docker_config: str | None, host: str) -> str | None:
    """Return `user:password` in base64 for a registry host, or None to stay anonymous."""
    if docker_config is None:
        return None
    try:
        config = json.loads((Path(docker_config) / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    auths = config.get("auths") if isinstance(config, dict) else None
    if not isinstance(auths, dict):
        return None
    for key in (host, f"https://{host}", f"http://{host}", f"https://{host}/v1/"):
        entry = auths.get(key)
        if not isinstance(entry, dict):
            continue
        if entry.get("auth"):
            return _checked(str(entry["auth"]))
        if entry.get("username"):
            pair = f"{entry['username']}:{entry.get('password', '')}"
            return base64.b64encode(pair.encode()).decode()
    return None


def _checked(encoded: str) -> str | None:
    try:
        base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return encoded
