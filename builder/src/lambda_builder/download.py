"""Brings the build context to disk: bounded in bytes, tries and time, checked by its sha256."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lambda_builder.errors import PlatformError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_builder.settings import ContextSettings

_CHUNK = 256 * 1024
_TRIES = 5
_PAUSE_SECONDS = 0.25
_DEADLINE_SECONDS = 600.0
_OK = 200
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR = 400, 429, 500


class _PassingError(Exception):
    """This try failed; the next may succeed."""


def download(settings: ContextSettings, target: Path) -> None:
    """Write the context to `target`.

    Reasons: `ContextTooLarge` (the user's), `ContextUnavailable` and `ContextChecksumMismatch`
    (the platform's). No message holds the URL: a presigned one is a secret.
    """
    scheme = urlsplit(settings.url).scheme
    if scheme == "file":
        digest = _save(_file_chunks(settings.url), target, settings.max_bytes)
    elif scheme in {"http", "https"}:
        digest = _with_retries(settings, target)
    else:
        raise PlatformError("InvalidSettings", "CONTEXT_URL is neither http, https nor file")
    if digest != settings.sha256:
        raise PlatformError(
            "ContextChecksumMismatch",
            f"the build context has sha256 {digest}, expected {settings.sha256}",
        )


def _with_retries(settings: ContextSettings, target: Path) -> str:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    problem = "no response"
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            chunks = _http_chunks(settings.url, deadline)
            return _save(chunks, target, settings.max_bytes)
        except _PassingError as error:
            problem = str(error)
    raise PlatformError("ContextUnavailable", f"the build context cannot be downloaded: {problem}")


def _save(chunks: Iterator[bytes], target: Path, max_bytes: int) -> str:
    """Write the chunks; their sha256."""
    sha256, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        for chunk in chunks:
            if (size := size + len(chunk)) > max_bytes:
                raise UserError("ContextTooLarge", f"the source archive is over {max_bytes} bytes")
            sha256.update(chunk)
            file.write(chunk)
    return sha256.hexdigest()


def _file_chunks(url: str) -> Iterator[bytes]:
    path = Path(unquote(urlsplit(url).path))
    if not path.is_file():
        raise PlatformError("ContextUnavailable", "the build context is not in its folder")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _http_chunks(url: str, deadline: float) -> Iterator[bytes]:
    # A context in a folder needs no HTTP library, and importing it takes longer than the copy.
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    from lambda_oci.http import connection_pool, explain  # noqa: PLC0415

    try:
        with connection_pool(url) as pool:
            response = pool.request("GET", url, preload_content=False, decode_content=False)
            if response.status != _OK:
                _raise_for(response.status)
            expected = response.headers.get("Content-Length", "")
            received = 0
            for chunk in response.stream(_CHUNK):
                if time.monotonic() > deadline:
                    raise PlatformError("ContextUnavailable", "the download takes too long")
                received += len(chunk)
                yield chunk
            if expected.isdigit() and int(expected) != received:
                raise _PassingError("the connection broke")
    except HTTPError as error:
        raise _PassingError(explain(error)) from None


def _raise_for(status: int) -> None:
    if _CLIENT_ERROR <= status < _SERVER_ERROR and status != _TOO_MANY:
        raise PlatformError(
            "ContextUnavailable",
            f"storage responds with {status} for the build context; the link may have expired",
        )
    raise _PassingError(f"storage responds with {status}")
