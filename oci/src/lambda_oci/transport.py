"""Requests to one registry: authorized, retried while that may help, with errors that explain."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict, TypeVar
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from lambda_oci.authorization import Authorization, denied
from lambda_oci.descriptors import MAX_DOCUMENT_BYTES
from lambda_oci.errors import ContentError, RejectedError, ThrottledError, UnavailableError
from lambda_oci.http import explain, read_all
from lambda_oci.references import normal_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO, Unpack

    from urllib3 import BaseHTTPResponse, PoolManager

    from lambda_oci.credentials import Credentials
    from lambda_oci.http import Patience

T = TypeVar("T")
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_LARGE, _TOO_MANY = 401, 403, 404, 413, 429
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_SECONDS = re.compile(r"[0-9]{1,3}", re.ASCII)


class TransientError(Exception):
    """This try failed; the next may not."""

    def __init__(self, problem: str, *, retry_after_seconds: int = 0) -> None:
        super().__init__(problem)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Response:
    """A response that has been read."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Options(TypedDict, total=False):
    """What a request may have besides its method and URL."""

    headers: Mapping[str, str]
    body: bytes | BinaryIO
    expected: tuple[int, ...]
    """Error statuses that the caller handles; 404 by default."""
    max_bytes: int


class Transport:
    """HTTP to one registry on behalf of one repository."""

    def __init__(
        self,
        origin: str,
        find_credentials: Callable[[], Credentials | None],
        scopes: list[str],
        *,
        patience: Patience,
        pool: PoolManager,
    ) -> None:
        self._origin = origin
        self._host = urlsplit(origin).netloc
        self._patience = patience
        self._pool = pool
        self._authorization = Authorization(pool, origin, find_credentials)
        self.scopes = scopes

    def retry(self, action: Callable[[], T]) -> T:
        """The action's result; it is retried while it fails with errors that may pass."""
        patience, problem = self._patience, ""
        for attempt in range(patience.tries):
            try:
                return action()
            except TransientError as error:
                problem, asked = str(error), error.retry_after_seconds
            except (HTTPError, ValueError) as error:
                problem, asked = explain(error), 0
            if attempt < patience.tries - 1:
                pause = min(asked, patience.longest_retry_after_seconds)
                time.sleep(max(pause, patience.first_pause_seconds * 2**attempt))
        raise self.unavailable(f"does not work: {problem}, {patience.tries} times")

    def send(self, method: str, url: str, **options: Unpack[Options]) -> Response:
        """Send one request, and a second one if the first is challenged.

        Statuses from 400 that are not `expected` raise: `TransientError` where trying again may
        help. No message shows a URL.
        """
        response = self._authorized(method, url, options.get("headers"), options.get("body"))
        content = self._read(response, options.get("max_bytes", MAX_DOCUMENT_BYTES))
        self._check(response, options.get("expected", (_NOT_FOUND,)))
        return Response(response.status, response.headers, content)

    def open(self, url: str) -> BaseHTTPResponse:
        """GET a body that is too large for memory; the caller reads it and handles 404."""
        response = self._authorized("GET", url, None, None)
        if response.status >= _CLIENT_ERROR:
            self._read(response, MAX_DOCUMENT_BYTES)
            self._check(response, (_NOT_FOUND,))
        return response

    def unavailable(self, problem: str) -> UnavailableError:
        """The error for a registry that does not behave as one."""
        return UnavailableError("RegistryUnavailable", f"the registry {self._host} {problem}")

    def _authorized(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | BinaryIO | None,
    ) -> BaseHTTPResponse:
        target = self._target(url)
        response = self._once(method, target, headers, body)
        if response.status != _UNAUTHORIZED:
            return response
        self._read(response, MAX_DOCUMENT_BYTES)
        challenge = response.headers.get("WWW-Authenticate", "")
        self._authorization.meet(challenge, self.scopes, self._check_passing)
        return self._once(method, target, headers, body)

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | BinaryIO | None,
    ) -> BaseHTTPResponse:
        sent = {"User-Agent": "knative-lambda", **(headers or {})}
        # A registry may redirect uploads to a URL that carries its own authorization.
        if (authorization := self._authorization.header) and self._is_own(url):
            sent["Authorization"] = authorization
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
        return self._pool.request(
            method, url, headers=sent, body=body, preload_content=False, decode_content=False
        )

    def _target(self, url: str) -> str:
        if url.startswith("/") and not url.startswith("//"):
            # Behind a host nothing can change it. cleanup sends ten thousand of these.
            return _origin_as_urllib3_reads(self._origin) + url
        return _as_urllib3_reads(urljoin(self._origin, url))

    def _is_own(self, url: str) -> bool:
        return normal_origin(url) == normal_origin(_origin_as_urllib3_reads(self._origin))

    def _read(self, response: BaseHTTPResponse, max_bytes: int) -> bytes:
        if (content := read_all(response, max_bytes)) is None:
            raise self.unavailable(f"sends more than {max_bytes} bytes")
        return content

    def _check(self, response: BaseHTTPResponse, expected: tuple[int, ...]) -> None:
        status = response.status
        if status < _CLIENT_ERROR or status in expected:
            return
        if status == _UNAUTHORIZED:
            raise denied(self._host, "does not accept the credentials")
        if status == _FORBIDDEN:
            raise denied(self._host, f"does not allow this ({', '.join(self.scopes)})")
        if status == _TOO_LARGE:
            raise ContentError(
                "ImageTooLarge", f"the registry {self._host} accepts no layer this large"
            )
        self._check_passing(response)
        raise RejectedError("RegistryRefused", f"the registry {self._host} responds with {status}")

    def _check_passing(self, response: BaseHTTPResponse) -> None:
        """Raise for statuses that may pass."""
        status, asked = response.status, response.headers.get("Retry-After", "")
        seconds = int(asked) if _SECONDS.fullmatch(asked) else 0
        if status == _TOO_MANY and not self._patience.waits_when_throttled:
            message = f"the registry {self._host} asks to slow down"
            raise ThrottledError("RegistryUnavailable", message, retry_after_seconds=seconds or 1)
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            raise TransientError(f"it responds with {status}", retry_after_seconds=seconds)


def _as_urllib3_reads(url: str) -> str:
    r"""The URL as it is sent: parsers of URLs disagree on the host of `//one\@other/`."""
    return parse_url(url).url


_origin_as_urllib3_reads = lru_cache(maxsize=16)(_as_urllib3_reads)
