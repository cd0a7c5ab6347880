"""Images in a registry, by the OCI distribution API (distribution-spec 1.1)."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import urllib3

from knative_lambda.adapters.registry.credentials import basic_credentials
from knative_lambda.domain.errors import (
    RegistryUnavailableError,
    RejectedByPlatformError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCEPT = ", ".join(  # noqa: FLY002  # one media type a line
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
# Cleanup looks at thousands of repositories once; all others come back to a few.
_TOKENS = 100
_SECONDS = re.compile(r"[0-9]{1,3}", re.ASCII)
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class DistributionImageRegistry:
    """Anonymous, with a password, or with the token that the registry's own service gives."""

    def __init__(self, *, docker_config: str | None = None) -> None:
        self._docker_config = docker_config
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=3, read=10),
            # Waiting as long as Retry-After says is up to the Broker.
            retries=urllib3.Retry(
                total=2,
                backoff_factor=0.1,
                status_forcelist=(502, 503, 504),
                respect_retry_after_header=False,
            ),
        )

    def find(self, repository_url: str, tag: str) -> str | None:
        """The digest behind a tag."""
        answer = self._send("HEAD", repository_url, f"manifests/{tag}", {"Accept": _ACCEPT})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        digest: str | None = answer.headers.get("Docker-Content-Digest")
        return digest

    def list_tags(self, repository_url: str) -> list[str]:
        """All tags; none where the repository is unknown."""
        tags: list[str] = []
        path = "tags/list?n=1000"
        while path:
            answer = self._send("GET", repository_url, path)
            if answer.status == HTTPStatus.NOT_FOUND:
                break
            with _translated(urlsplit(repository_url).netloc):
                tags += json.loads(answer.data).get("tags") or []
            following = _NEXT.search(answer.headers.get("Link", ""))
            path = "tags/list?" + urlsplit(following[1]).query if following else ""
        return sorted(tags)

    def delete(self, repository_url: str, digest: str) -> None:
        """Remove a manifest; a registry that does not delete keeps its images, which harms none."""
        self._send(
            "DELETE", repository_url, f"manifests/{digest}", also=HTTPStatus.METHOD_NOT_ALLOWED
        )

    def _send(
        self,
        method: str,
        repository_url: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        also: HTTPStatus = HTTPStatus.NOT_FOUND,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request; 2xx, 404 and `also` come back, all else is raised."""
        parts = urlsplit(repository_url)
        url = f"{parts.scheme}://{parts.netloc}/v2{parts.path}/{path}"
        with _translated(parts.netloc):
            answer = self._pool.request(
                method, url, headers=(headers or {}) | self._authorization(repository_url)
            )
            if answer.status == HTTPStatus.UNAUTHORIZED and self._log_in(
                repository_url, answer.headers.get("WWW-Authenticate", "")
            ):
                answer = self._pool.request(
                    method, url, headers=(headers or {}) | self._authorization(repository_url)
                )
        _check(answer, parts.netloc, {HTTPStatus.NOT_FOUND, also})
        return answer

    def _authorization(self, repository_url: str) -> dict[str, str]:
        token = self._tokens.get(repository_url)
        return {"Authorization": token} if token else {}

    def _log_in(self, repository_url: str, challenge: str) -> bool:
        """Get what the registry asks for; False when there is nothing new to try."""
        parts = urlsplit(repository_url)
        basic = basic_credentials(self._docker_config, parts.netloc)
        if challenge.lower().startswith("bearer "):
            wanted = dict(_CHALLENGE.findall(challenge))
            query = {key: wanted[key] for key in ("service", "scope") if key in wanted}
            headers = {"Authorization": f"Basic {basic}"} if basic else {}
            answer = self._pool.request(
                "GET", f"{wanted['realm']}?{urlencode(query)}", headers=headers
            )
            _check(answer, parts.netloc, set())
            given = json.loads(answer.data)
            token = f"Bearer {given.get('token') or given['access_token']}"
        elif basic is not None:
            token = f"Basic {basic}"
        else:
            return False
        self._tokens[repository_url] = token
        if len(self._tokens) > _TOKENS:
            self._tokens.popitem(last=False)
        return True


def _check(answer: urllib3.BaseHTTPResponse, host: str, expected: set[HTTPStatus]) -> None:
    status = answer.status
    if status < HTTPStatus.MULTIPLE_CHOICES or status in expected:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = answer.headers.get("Retry-After", "")
        wait = int(seconds) if _SECONDS.fullmatch(seconds) else 1
        raise ThrottledError(
            f"the registry {host} asks to slow down", retry_after=timedelta(seconds=wait)
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise RegistryUnavailableError(
            f"the registry {host} refuses our credentials ({status}); check the registry secret"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RegistryUnavailableError(f"the registry {host} answers {status}")
    raise RejectedByPlatformError(f"the registry {host} refuses the request ({status})")


@contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except (
        urllib3.exceptions.HTTPError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise RegistryUnavailableError(
            f"the registry {host} does not answer as one ({type(error).__name__})"
        ) from error
