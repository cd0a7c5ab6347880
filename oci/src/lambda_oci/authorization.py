"""Answers a registry's challenge: Basic, or a Bearer token from the service it names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from lambda_oci.errors import SetupError

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from lambda_oci.credentials import Credentials

_CHALLENGE = re.compile(r"\b(Basic|Bearer)\b([^\n]*?)(?=,\s*(?:Basic|Bearer)\b|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_OK = 200


def denied(host: str, what: str) -> SetupError:
    """The registry does not let us; the settings have to change before it will."""
    return SetupError("RegistryDenied", f"the registry {host} {what}")


class Authorization:
    """The `Authorization` header for one repository; anonymous until challenged."""

    def __init__(self, pool: PoolManager, origin: str, credentials: Credentials | None) -> None:
        self._pool = pool
        self._origin = urlsplit(origin)
        self._credentials = credentials
        self.header: str | None = None

    def answer(self, challenge: str, scopes: list[str]) -> None:
        """Take the header a 401 asks for; `RegistryDenied` where we have nothing to show."""
        host = self._origin.netloc
        offers = {
            scheme.lower(): dict(_PARAMETER.findall(parameters))
            for scheme, parameters in _CHALLENGE.findall(challenge)
        }
        if (bearer := offers.get("bearer")) is not None:
            self.header = f"Bearer {self._token(bearer, scopes)}"
        elif "basic" in offers and self._credentials is not None:
            self.header = self._credentials.basic()
        elif "basic" in offers:
            raise denied(host, "asks for a password and none is set")
        else:
            raise denied(host, "asks for a kind of authorization that is not supported")

    def _token(self, challenge: dict[str, str], scopes: list[str]) -> str:
        realm = urlsplit(challenge.get("realm", ""))
        if realm.scheme not in {"http", "https"}:
            raise denied(self._origin.netloc, "names no token service")
        if realm.scheme == "http" and self._origin.scheme == "https":
            raise denied(self._origin.netloc, "asks to send the password without encryption")
        service = [("service", challenge["service"])] if "service" in challenge else []
        content = self._ask(realm.geturl(), service, scopes)
        try:
            document = json.loads(content)
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not token.isprintable():
            raise denied(self._origin.netloc, "has a token service that sends no token")
        return token

    def _ask(self, realm: str, service: list[tuple[str, str]], scopes: list[str]) -> bytes:
        credentials = self._credentials
        if credentials is not None and credentials.identity_token:
            form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", credentials.identity_token),
                ("client_id", "lambda-builder"),
                *service,
                ("scope", " ".join(scopes)),
            ]
            response = self._pool.request_encode_body(
                "POST", realm, fields=form, encode_multipart=False
            )
        else:
            query = urlencode([*service, *(("scope", scope) for scope in scopes)])
            joiner = "&" if urlsplit(realm).query else "?"
            headers = {"Authorization": credentials.basic()} if credentials else {}
            response = self._pool.request("GET", f"{realm}{joiner}{query}", headers=headers)
        if response.status != _OK:
            raise denied(self._origin.netloc, f"refuses a token (status {response.status})")
        return response.data
