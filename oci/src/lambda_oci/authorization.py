"""Meets a registry's challenge: Basic, or a Bearer token from the service it names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from lambda_oci.errors import SetupError
from lambda_oci.http import read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse, PoolManager

    from lambda_oci.credentials import Credentials

# These take no longer than the header is long: each start that can fail does so at once.
_CHALLENGE = re.compile(
    r"\b(Basic|Bearer)\b(.*?)(?=,\s*(?:Basic|Bearer)\b|\Z)", re.IGNORECASE | re.DOTALL
)
_PARAMETER = re.compile(r'\b(\w+)="([^"]*)"')
_OK = 200
_MAX_TOKEN_BYTES = 64 * 1024


def denied(host: str, what: str) -> SetupError:
    """The error for a registry that denies access until the settings change."""
    return SetupError("RegistryDenied", f"the registry {host} {what}")


class Authorization:
    """The `Authorization` header for one repository; anonymous until challenged."""

    def __init__(
        self, pool: PoolManager, origin: str, find: Callable[[], Credentials | None]
    ) -> None:
        self._pool = pool
        self._origin = urlsplit(origin)
        # Called at every challenge: a mounted Secret may have changed.
        self._find = find
        self.header: str | None = None

    def meet(
        self, challenge: str, scopes: list[str], check: Callable[[BaseHTTPResponse], None]
    ) -> None:
        """Set the header that a 401 requires; `RegistryDenied` if there are no credentials for it.

        `scopes` is extended by those of the challenge that concern the same repositories. `check`
        raises for statuses of the token service that may pass.
        """
        host = self._origin.netloc
        offers = {
            scheme.lower(): dict(_PARAMETER.findall(parameters))
            for scheme, parameters in _CHALLENGE.findall(challenge)
        }
        credentials = self._find()
        if (bearer := offers.get("bearer")) is not None:
            scopes += _missing(bearer.get("scope", "").split(), scopes)
            self.header = f"Bearer {self._token(bearer, scopes, credentials, check)}"
        elif "basic" in offers and credentials is not None:
            self.header = credentials.basic()
        elif "basic" in offers:
            raise denied(host, "requires a password and none is set")
        else:
            raise denied(host, "requires an unsupported kind of authorization")

    def _token(
        self,
        challenge: dict[str, str],
        scopes: list[str],
        credentials: Credentials | None,
        check: Callable[[BaseHTTPResponse], None],
    ) -> str:
        host = self._origin.netloc
        try:
            realm = urlsplit(challenge.get("realm", ""))
        except ValueError:
            raise denied(host, "does not name its token service") from None
        if realm.scheme not in {"http", "https"}:
            raise denied(host, "does not name its token service")
        if realm.scheme == "http" and self._origin.scheme == "https":
            raise denied(host, "requests the password without encryption")
        service = [("service", challenge["service"])] if "service" in challenge else []
        response = self._ask(realm.geturl(), service, scopes, credentials)
        content = read_all(response, _MAX_TOKEN_BYTES)
        check(response)
        if response.status != _OK:
            raise denied(host, f"gives no token (status {response.status})")
        if (token := _token_in(content)) is None:
            raise denied(host, "has a token service that sent no token")
        return token

    def _ask(
        self,
        realm: str,
        service: list[tuple[str, str]],
        scopes: list[str],
        credentials: Credentials | None,
    ) -> BaseHTTPResponse:
        if credentials is not None and credentials.identity_token:
            form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", credentials.identity_token),
                ("client_id", "knative-lambda"),
                *service,
                ("scope", " ".join(scopes)),
            ]
            # A redirect would forward the identity token to any host.
            return self._pool.request(
                "POST",
                realm,
                body=urlencode(form),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                redirect=False,
                preload_content=False,
            )
        query = urlencode([*service, *(("scope", scope) for scope in scopes)])
        joiner = "&" if urlsplit(realm).query else "?"
        headers = {"Authorization": credentials.basic()} if credentials else {}
        return self._pool.request(
            "GET", f"{realm}{joiner}{query}", headers=headers, preload_content=False
        )


def _missing(asked: list[str], scopes: list[str]) -> list[str]:
    """The scopes of the challenge for our repositories that ours do not cover."""
    ours: dict[str, set[str]] = {}
    for repository, actions in map(_parted, scopes):
        ours.setdefault(repository, set()).update(actions.split(","))
    return [
        scope
        for scope in asked
        for repository, actions in [_parted(scope)]
        if repository in ours and not set(actions.split(",")) <= ours[repository]
    ]


def _parted(scope: str) -> tuple[str, str]:
    repository, _, actions = scope.rpartition(":")
    return repository, actions


def _token_in(content: bytes | None) -> str | None:
    try:
        document = json.loads(content or b"")
        token = document.get("token") or document.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        return None
    # Other characters could end the header.
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None
