"""The token of a data folder: whoever can read its file may do everything on the platform."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from lambda_embedded.private_files import write_private

if TYPE_CHECKING:
    from pathlib import Path

_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,256}")


def read_or_create_token(path: Path, *, renew: bool = False) -> str:
    """Return the token in a file that only its owner may read; create it if there is none.

    `renew` replaces it. A file that holds no token is replaced as well.
    """
    if not renew and (token := _read(path)):
        path.chmod(0o600)
        return token
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    # Without a newline: the kubernetes package sends a token file as it is.
    write_private(path, token)
    return token


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text if _TOKEN.fullmatch(text) else None
