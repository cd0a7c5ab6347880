"""Requests to one registry: authorized, tried again while trouble may pass, explained when not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import HTTPError

from lambda_oci.authorization import Authorization, denied
from lambda_oci.errors import ContentError, RejectedError, UnavailableError
from lambda_oci.http import connection_pool, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from urllib3 import BaseHTTPResponse

    from lambda_oci.credentials import Credentials

T = TypeVar("T")
_TRIES = 5
_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 10.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_LARGE, _TOO_MANY = 401, 403, 404, 413, 429
_SERVER_ERROR = 500


class TroubleError(Exception):
    """This try failed; the next may not."""

    def __init__(self, problem: str, *, pause_seconds: float = 0) -> None:
        super().__init__(problem)
        self.pause_seconds = pause_seconds


class Transport:
    """HTTP to one registry on behalf of one repository."""

    def __init__(self, origin: str, credentials: Credentials | None, scopes: list[str]) -> None:
        self._origin = origin
        self._host = urlsplit(origin).netloc
        self._pool = connection_pool(origin)
        self._authorization = Authorization(self._pool, origin, credentials)
        self.scopes = scopes

    def retry(self, action: Callable[[], T]) -> T:
        """What the action returns, after as many tries as its trouble takes."""
        problem = ""
        for attempt in range(_TRIES):
            try:
                return action()
            except TroubleError as error:
                problem, pause = str(error), error.pause_seconds
            except HTTPError as error:
                problem, pause = explain(error), 0.0
            if attempt < _TRIES - 1:
                time.sleep(max(pause, _PAUSE_SECONDS * 2**attempt))
        message = f"the registry {self._host} does not work: {problem}, {_TRIES} times"
        raise UnavailableError("RegistryUnavailable", message)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BinaryIO | None = None,
        stream: bool = False,
    ) -> BaseHTTPResponse:
        """One request, with a second one where the first is challenged; 404 is an answer.

        Raises `TroubleError` where trying again may help, and never shows a URL.
        """
        target = urljoin(self._origin, url)
        response = self._once(method, target, headers, body, stream=stream)
        if response.status == _UNAUTHORIZED:
            self._authorization.answer(response.headers.get("WWW-Authenticate", ""), self.scopes)
            response = self._once(method, target, headers, body, stream=stream)
        self._check(response)
        return response

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | BinaryIO | None,
        *,
        stream: bool,
    ) -> BaseHTTPResponse:
        sent = {"User-Agent": "lambda-builder", **(headers or {})}
        # Uploads may be sent elsewhere, by a link that holds its own right.
        same_origin = urlsplit(url)[:2] == urlsplit(self._origin)[:2]
        if same_origin and (authorization := self._authorization.header):
            sent["Authorization"] = authorization
        if body is not None and not isinstance(body, bytes):
            body.seek(0)
        return self._pool.request(
            method, url, headers=sent, body=body, preload_content=not stream, decode_content=False
        )

    def _check(self, response: BaseHTTPResponse) -> None:
        status = response.status
        if status == _UNAUTHORIZED:
            raise denied(self._host, "does not accept the credentials")
        if status == _FORBIDDEN:
            raise denied(self._host, f"does not allow this ({', '.join(self.scopes)})")
        if status == _TOO_LARGE:
            raise ContentError(
                "ImageTooLarge", f"the registry {self._host} takes no layer this large"
            )
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            raise TroubleError(f"it answers {status}", pause_seconds=_retry_after(response))
        if status >= 400 and status != _NOT_FOUND:  # noqa: PLR2004 - the client errors
            raise RejectedError("RegistryRefused", f"the registry {self._host} answers {status}")


def _retry_after(response: BaseHTTPResponse) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), _LONGEST_PAUSE_SECONDS) if value.isdigit() else 0
