"""HTTPS to hosts that the operator allows: to the address that was checked, within bounds.

No proxy is used: the address that a proxy connects to would be nobody's to check.
"""

from __future__ import annotations

import socket
import ssl
import time
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceAccessDeniedError,
    SourceNotFoundError,
    SourceUnavailableError,
    UnsupportedSourceError,
)
from knative_lambda.domain.source_hosts import HTTPS_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from knative_lambda.adapters.hosted_sources.allowed_hosts import AllowedHosts

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 20.0
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

_Origin = tuple[str, int]


def trusted_certificates(more: str | None) -> ssl.SSLContext:
    """Trust what this machine trusts, and the certificates in `more` (PEM).

    `ValueError` where that is no certificate.
    """
    context = ssl.create_default_context()
    if more:
        try:
            context.load_verify_locations(cadata=more)
        except ssl.SSLError:
            raise ValueError("must be certificates in PEM") from None
    return context


class _Connection(HTTPSConnection):
    """Goes to an address, and expects there the certificate of a name."""

    def __init__(self, address: str, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=_READ_SECONDS, context=context)
        self._address = address
        self._trusted = context

    def connect(self) -> None:
        """Connect, and check the certificate."""
        plain = socket.create_connection((self._address, self.port), timeout=_CONNECT_SECONDS)
        try:
            self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        self.sock.settimeout(_READ_SECONDS)


class Response:
    """The response of a host; reading it counts towards the bounds of its exchange."""

    def __init__(
        self, exchange: Exchange, response: HTTPResponse, url: str, max_bytes: int | None
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self._exchange = exchange
        self._response = response
        self._url = url
        self._peeked = b""
        self._max_bytes = self._left = max_bytes

    def geturl(self) -> str:
        """Return the URL that redirects led to."""
        return self._url

    def peek(self, amt: int) -> bytes:
        """Return the next bytes, up to so many, which are still to be read."""
        while len(self._peeked) < amt and (chunk := self._receive(amt - len(self._peeked))):
            self._peeked += chunk
        return self._peeked[:amt]

    def read(self, amt: int | None = None) -> bytes:
        """Return up to so many bytes, or all that are left if None; none at the end."""
        if amt is None:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        taken, self._peeked = self._peeked[:amt], self._peeked[amt:]
        if len(taken) == amt:
            return taken
        return taken + self._receive(amt - len(taken))

    def _receive(self, amt: int) -> bytes:
        chunk = self._exchange.receive(self._response, amt)
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0:
                raise LimitExceededError(
                    f"one response of the source's host is over {self._max_bytes} bytes",
                    field="source.uri",
                )
        return chunk

    def close(self) -> None:
        """Leave the rest unread."""
        self._response.close()


class Exchange:
    """Requests for one source, which together may take so many seconds and bytes.

    A context manager. The header `Authorization` goes to the origin of the first request alone.
    """

    def __init__(
        self,
        hosts: AllowedHosts,
        context: ssl.SSLContext,
        *,
        authorization: str | None,
        max_bytes: int,
        seconds: float,
    ) -> None:
        self._hosts = hosts
        self._context = context
        self._authorization = authorization
        self._authorized: _Origin | None = None
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._deadline = time.monotonic() + seconds
        self._connection: _Connection | None = None
        self._response: HTTPResponse | None = None
        self._socket: socket.socket | None = None
        # A sender of a byte now and then never meets the timeout of a read.
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the last connection."""
        self._timer.cancel()
        self._close()

    @property
    def is_authorized(self) -> bool:
        """Whether a host was sent a token, which it may repeat in whatever it says."""
        return self._authorization is not None

    def check_time(self) -> None:
        """Raise `SourceUnavailableError` if no time is left."""
        if time.monotonic() > self._deadline:
            raise SourceUnavailableError(
                "it takes too long to fetch the source", field="source.uri"
            )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Send a request, and follow where a GET is redirected to.

        `max_bytes` bounds this response closer than all of them together are.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._send(method, url, headers or {}, body)
            if response.status not in _REDIRECTS or method != "GET":
                self._require_success(response, url)
                return Response(self, response, url, max_bytes)
            url = _location(url, response)
        raise SourceUnavailableError("the host redirects too often", field="source.uri")

    def receive(self, response: HTTPResponse, amt: int) -> bytes:
        """Return what comes next, as far as the bounds allow."""
        try:
            chunk = response.read(amt)
        except (HTTPException, OSError, ValueError) as error:
            self.check_time()
            raise _broken(error) from None
        self.check_time()
        self._left -= len(chunk)
        if self._left < 0:
            raise LimitExceededError(
                f"the source is over {self._max_bytes} bytes", field="source.uri"
            )
        return chunk

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HTTPResponse:
        origin, path = _split(url)
        sent = {"User-Agent": "knative-lambda", "Accept-Encoding": "identity", **headers}
        host, port = origin
        shown = f"[{host}]" if ":" in host else host
        sent["Host"] = shown if port == HTTPS_PORT else f"{shown}:{port}"
        self._authorized = self._authorized or origin
        if self._authorization is not None and origin == self._authorized:
            sent["Authorization"] = self._authorization
        try:
            connection = self._connect(host, port)
            connection.request(method, path, body=body, headers=sent)
            self._response = connection.getresponse()
        except (HTTPException, OSError, ValueError) as error:
            self.check_time()
            raise _broken(error) from None
        # A head that was cut may look like a whole one.
        self.check_time()
        return self._response

    def _connect(self, host: str, port: int) -> _Connection:
        self._close()
        *others, last = self._hosts.addresses(host, port)
        for address in [*others, last]:
            self.check_time()
            connection = _Connection(address, host, port, self._context)
            try:
                connection.connect()
            except (ConnectionError, TimeoutError):
                if address == last:
                    raise
                continue
            self._connection, self._socket = connection, connection.sock
            # The timer may have found nothing to cut.
            self.check_time()
            return connection
        raise AssertionError("the last address is returned or raised for")

    def _close(self) -> None:
        if self._response is not None:
            self._response.close()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._response = self._socket = None

    def _cut(self) -> None:
        """Wake whoever reads: the end of the connection is all that comes."""
        if (connected := self._socket) is not None:
            try:
                # Not that of SSLSocket, which would go on in plain text.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return

    def _require_success(self, response: HTTPResponse, url: str) -> None:
        status, host = response.status, urlsplit(url).hostname
        if status == HTTPStatus.OK:
            return
        if status in _GONE:
            raise SourceNotFoundError(
                f"{host} has no such source, or it needs source.secretRef with more rights",
                field="source.uri",
            )
        if status in _DENIED:
            raise SourceAccessDeniedError(
                f"{host} responds with {status}: "
                + (
                    "it needs source.secretRef"
                    if self._authorization is None
                    else "it does not accept the Secret that source.secretRef names"
                ),
                field="source.secretRef",
            )
        raise SourceUnavailableError(f"{host} responds with {status}", field="source.uri")


def _location(url: str, response: HTTPResponse) -> str:
    try:
        return urljoin(url, response.headers.get("Location", ""))
    except ValueError:
        raise UnsupportedSourceError(
            "the source's host redirects to what is no URL", field="source.uri"
        ) from None


def _split(url: str) -> tuple[_Origin, str]:
    """Return host and port of an https URL, and what to ask there."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        raise UnsupportedSourceError("source.uri is not a URL", field="source.uri") from None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise UnsupportedSourceError(
            "sources come from https:// alone, without a user in the URL", field="source.uri"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise UnsupportedSourceError("source.uri is not a URL", field="source.uri")
    return (parts.hostname, port), path


def _broken(error: Exception) -> SourceUnavailableError:
    """Say what went wrong without the error's own words, which may quote the URL."""
    problem = "the connection to the source's host broke"
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = (
            "the certificate of the source's host is not trusted: the operator names its"
            " authority in KN_LAMBDA_SOURCE_CERTIFICATES"
        )
    elif isinstance(error, TimeoutError):
        problem = "the source's host does not respond in time"
    elif isinstance(error, ConnectionRefusedError):
        problem = "there is no connection to the source's host"
    return SourceUnavailableError(problem, field="source.uri")
