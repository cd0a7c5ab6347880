"""Fetches the files that a source asks for by their address: only from where they may come."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, TYPE_CHECKING

from addresses import parse_address
from installer_errors import RecipeError
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from http.client import HTTPMessage
    from pathlib import Path

_MAX_BYTES = 2 * 1024**3
_CHUNK_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 30
_PAUSES = (0.5, 2.0)
_SERVER_ERROR = 500
_FILE_NAME = re.compile(r"[A-Za-z0-9][\w.+!-]{0,199}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Of the index: nobody else gets to see it."""

    index: str
    username: str
    password: str

    def header_for(self, url: str) -> str | None:
        """The Authorization for a request, if it goes to the server of the index."""
        try:
            own = parse_address(url.partition("#")[0]).origin == parse_address(self.index).origin
        except ValueError:
            own = False
        if not own:
            return None
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, check: Callable[[str], None], credential: Credential | None) -> None:
        self._check = check
        self._credential = credential

    def redirect_request(  # noqa: PLR0917 - as urllib calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        self._check(newurl)
        redirected = super().redirect_request(req, fp, code, msg, headers, newurl)
        if redirected is not None:
            redirected.remove_header("Authorization")
            _authorize(redirected, self._credential)
        return redirected


def file_name(url: str) -> str:
    """The name of the file at an address, fit for a folder."""
    name = urllib.request.unquote(url.partition("#")[0].partition("?")[0].rpartition("/")[2])
    if not _FILE_NAME.fullmatch(name):
        raise RecipeError("InvalidRequirements", f"{shown(name)} cannot be the name of a file")
    return name


def download(
    url: str,
    target: Path,
    *,
    told: str,
    hashes: Iterable[str] = (),
    check: Callable[[str], None],
    credential: Credential | None = None,
) -> str:
    """Write the file; return its sha256. `check` raises for an address that may not be used.

    `PackageSourceUnavailable` where the address does not answer, `RequirementHashMismatch` where
    its file is another than the one that was asked for; `told` names file and package.
    """
    check(url)
    redirects = _Redirects(check, credential)
    secure = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(redirects, secure)
    for pause in (*_PAUSES, None):
        request = urllib.request.Request(url)  # noqa: S310 - `check` has seen its scheme
        _authorize(request, credential)
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
                return _write(response, target, told, hashes)
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"the server answers {error.code}"
            is_lasting = error.code < _SERVER_ERROR
        except (OSError, HTTPException, ValueError) as error:
            # A reason is an exception or a text.
            problem = str(getattr(error, "reason", error)) or type(error).__name__
            is_lasting = False
        if is_lasting or pause is None:
            break
        time.sleep(pause)
    message = f"{told}: {shown(url)} cannot be fetched: {shown(problem)}"
    raise RecipeError("PackageSourceUnavailable", message)


def _authorize(request: urllib.request.Request, credential: Credential | None) -> None:
    header = credential.header_for(request.full_url) if credential else None
    if header is not None:
        request.add_unredirected_header("Authorization", header)


def _write(response: IO[bytes], target: Path, told: str, hashes: Iterable[str]) -> str:
    expected = dict(text.split(":", 1) for text in hashes)
    digests = {kind: hashlib.new(kind) for kind in {"sha256", *expected}}
    size = 0
    with target.open("wb") as file:
        while chunk := response.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > _MAX_BYTES:
                message = f"{told}: its file is larger than {_MAX_BYTES // 1024**3} GiB"
                raise RecipeError("InvalidRequirements", message)
            for digest in digests.values():
                digest.update(chunk)
            file.write(chunk)
    found = {f"{kind}:{digest.hexdigest()}" for kind, digest in digests.items()}
    if expected and not found & set(hashes):
        message = f"{told}: Hash mismatch: its file has {digests['sha256'].hexdigest()}"
        raise RecipeError("RequirementHashMismatch", message)
    return digests["sha256"].hexdigest()
