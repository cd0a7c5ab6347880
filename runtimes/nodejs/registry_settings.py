"""The platform's package index, in npm's own terms."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from pathlib import Path


def registry_settings(index_url: str | None, configuration: Path) -> list[str]:
    """Arguments for npm; credentials go into a file, as npm takes none from an address."""
    if index_url is None:
        return []
    parts = urlsplit(index_url)
    host = parts.netloc.rpartition("@")[2]
    path = parts.path.rstrip("/") + "/"
    arguments = ["--registry", urlunsplit((parts.scheme, host, path, "", ""))]
    if parts.username is None:
        return arguments
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    encoded = base64.b64encode(credentials.encode()).decode()
    configuration.touch(mode=0o600)
    configuration.write_text(f"//{host}{path}:_auth={encoded}\n")
    return [*arguments, "--userconfig", str(configuration)]
