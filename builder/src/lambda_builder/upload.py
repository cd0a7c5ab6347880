"""Leaves the result of a build where the control plane told it to."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lambda_builder.errors import PlatformError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from urllib3 import BaseHTTPResponse

    from lambda_builder.settings import ResultSettings

_CHUNK = 256 * 1024
_TRIES = 5
_PAUSE_SECONDS = 0.25
_ANSWER_BYTES = 64 * 1024
_OK, _REDIRECT, _TOO_LARGE, _TOO_MANY, _SERVER_ERROR = 200, 300, 413, 429, 500


class _PassingError(Exception):
    """This try failed; the next may succeed."""


def upload(file: Path, settings: ResultSettings) -> None:
    """Send the file in one piece.

    Reasons: `PackagesTooLarge` (the user's), `ResultRefused` and `ResultUnavailable` (the
    platform's). No message holds the URL or a field: whoever has them can write the object.
    """
    if file.stat().st_size > settings.max_bytes:
        raise too_large(settings)
    scheme = urlsplit(settings.url).scheme
    if scheme == "file":
        _copy(file, Path(unquote(urlsplit(settings.url).path)))
    elif scheme in {"http", "https"}:
        _with_retries(file, settings)
    else:
        raise PlatformError("InvalidSettings", "RESULT_URL is neither http, https nor file")


def too_large(settings: ResultSettings) -> UserError:
    """The error for packages that are over the limit."""
    return UserError("PackagesTooLarge", f"the packages are over {settings.max_bytes} bytes")


def _copy(file: Path, target: Path) -> None:
    """Readers see all of it or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(6)}.partial")
    try:
        shutil.copyfile(file, partial)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def _with_retries(file: Path, settings: ResultSettings) -> None:
    problem = "no response"
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return _send(file, settings)
        except _PassingError as error:
            problem = str(error)
    raise PlatformError("ResultUnavailable", f"the packages cannot be stored: {problem}")


def _send(file: Path, settings: ResultSettings) -> None:
    # A result in a folder needs no HTTP library, and importing it takes longer than the copy.
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    from lambda_oci.http import connection_pool, explain, read_all  # noqa: PLC0415

    size = file.stat().st_size
    before, after, headers = b"", b"", dict[str, str]()
    if settings.fields is not None:
        boundary = secrets.token_hex(16)
        before, after = _form(settings.fields, boundary)
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    headers["Content-Length"] = str(len(before) + size + len(after))
    method = "PUT" if settings.fields is None else "POST"
    try:
        with connection_pool(settings.url) as pool, file.open("rb") as content:
            response = pool.request(
                method,
                settings.url,
                body=_joined(before, content, after),
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            _check(response, read_all(response, _ANSWER_BYTES) or b"", settings)
    except HTTPError as error:
        raise _PassingError(explain(error)) from None


def _check(response: BaseHTTPResponse, answer: bytes, settings: ResultSettings) -> None:
    status = response.status
    if _OK <= status < _REDIRECT:
        return
    if status == _TOO_LARGE or b"EntityTooLarge" in answer:
        raise too_large(settings)
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise _PassingError(f"storage responds with {status}")
    message = f"storage responds with {status} for the packages; the link may have expired"
    raise PlatformError("ResultRefused", message)


def _form(fields: Mapping[str, str], boundary: str) -> tuple[bytes, bytes]:
    """What comes before and after the file, which a POST policy wants to be the last field."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="packages"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()


def _joined(before: bytes, content: BinaryIO, after: bytes) -> Iterator[bytes]:
    yield before
    while chunk := content.read(_CHUNK):
        yield chunk
    yield after
