"""Credentials of registries from `DOCKER_CONFIG/config.json`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lambda_oci.descriptors import parse_object
from lambda_oci.errors import OciError, SetupError
from lambda_oci.references import DOCKER_HUB, DOCKER_IO, normal_host

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_oci.references import RegistryLocation


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, or an identity token; never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    identity_token: str | None = field(default=None, repr=False)

    def basic(self) -> str:
        """The value of a Basic `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def find_credentials(docker_config: Path | None, location: RegistryLocation) -> Credentials | None:
    """The entry for this repository, else for its registry; None for anonymous access."""
    if docker_config is None:
        return None
    try:
        document = parse_object((docker_config / "config.json").read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(f"cannot be read ({error.strerror})") from None
    if document is None:
        raise _unusable("is not a JSON object")
    entries = document.get("auths")
    if not isinstance(entries, dict):
        return None
    scheme = urlsplit(location.origin).scheme
    # If two keys name the same place, the plain one wins.
    named = {_place(key, scheme): value for key, value in entries.items()} | entries
    for place in _places(location):
        if isinstance(entry := named.get(place), dict):
            return _credentials(entry)
    return None


def _places(location: RegistryLocation) -> list[str]:
    """`host/a/b`, `host/a`, `host`: the most specific first."""
    host = _known_host(location.origin)
    parts = location.name.split("/")
    folders = ["/".join([host, *parts[:count]]) for count in range(len(parts), 0, -1)]
    return [*folders, host]


def _place(key: str, scheme: str) -> str:
    """`host` or `host/a` of a key, with or without a scheme; empty for an invalid key."""
    url = key if "://" in key else f"{scheme}://{key}"
    try:
        host, path = _known_host(url), urlsplit(url).path.strip("/")
    except OciError:
        return ""
    # Docker writes the API's version behind the host.
    return "/".join(filter(None, (host, "" if path in {"v1", "v2"} else path)))


def _known_host(url: str) -> str:
    host = normal_host(url)
    # Docker Hub has one entry.
    return DOCKER_IO if host in DOCKER_HUB else host


def _credentials(entry: dict[str, object]) -> Credentials | None:
    values = {key: value for key, value in entry.items() if isinstance(value, str)}
    username, password = values.get("username", ""), values.get("password", "")
    if auth := values.get("auth"):
        try:
            username, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except ValueError:
            raise _unusable("has an auth entry that is not base64") from None
        # Docker pads old entries with zero bytes.
        password = password.rstrip("\0")
    token = values.get("identitytoken")
    return Credentials(username, password, token) if username or token else None


def _unusable(problem: str) -> SetupError:
    return SetupError("InvalidSettings", f"config.json {problem}")
