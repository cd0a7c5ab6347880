"""HTTP to Brokers and functions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kn_lambda.errors import TimedOutError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import PoolManager

_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004


class HttpClient:
    """Sends each request once, with a timeout."""

    @cached_property
    def _pool(self) -> PoolManager:
        from urllib3 import PoolManager  # noqa: PLC0415 # a quick start of --help

        return PoolManager(retries=False)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = 15.0,
    ) -> Response:
        """Return the response; `UnreachableError` or `TimedOutError` if there is none."""
        from urllib3 import Timeout  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, ReadTimeoutError  # noqa: PLC0415

        from knative_lambda.adapters.kubernetes.errors import cause_in_words  # noqa: PLC0415

        place = redacted_url(url)
        try:
            response: Any = self._pool.request(
                method,
                url,
                headers=dict(headers or {}),
                body=body,
                timeout=Timeout(connect=_CONNECT_SECONDS, read=timeout_seconds),
            )
        except ReadTimeoutError as error:
            raise TimedOutError(
                f"{place} did not respond in {timeout_seconds:g} s",
                hint="Wait longer with --timeout, or run `kn-lambda doctor` to find out why.",
            ) from error
        except (HTTPError, OSError) as error:
            raise UnreachableError(
                f"cannot reach {place} ({cause_in_words(error)})",
                hint="Run `kn-lambda doctor` to find out why.",
            ) from error
        return Response(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.data,
        )


def redacted_url(url: str) -> str:
    """Return a URL without its user name, password and query, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
