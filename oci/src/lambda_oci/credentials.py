"""Credentials of registries from `DOCKER_CONFIG/config.json`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lambda_oci.descriptors import parse_json
from lambda_oci.errors import SetupError

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
    """The entry for this repository, else for its registry, else None: go without."""
    if docker_config is None:
        return None
    try:
        content = (docker_config / "config.json").read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(f"cannot be read ({error.strerror})") from None
    entries = parse_json(content, "config.json of DOCKER_CONFIG").get("auths")
    if not isinstance(entries, dict):
        return None
    named = {_place(key): value for key, value in entries.items()}
    for place in _places(location):
        if isinstance(entry := named.get(place), dict):
            return _credentials(entry)
    return None


def _places(location: RegistryLocation) -> list[str]:
    """`host/a/b`, `host/a`, `host`: the most special first."""
    parts = location.name.split("/")
    folders = ["/".join([location.host, *parts[:count]]) for count in range(len(parts), 0, -1)]
    return [*folders, location.host]


def _place(key: str) -> str:
    parts = urlsplit(key if "://" in key else f"//{key}")
    path = parts.path.strip("/")
    # Docker writes the API's version behind the host.
    return "/".join(filter(None, (parts.netloc, "" if path in {"v1", "v2"} else path)))


def _credentials(entry: dict[str, object]) -> Credentials | None:
    values = {key: value for key, value in entry.items() if isinstance(value, str)}
    username, password = values.get("username", ""), values.get("password", "")
    if auth := values.get("auth"):
        try:
            username, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _unusable("has an auth entry that is no base64 text") from None
        # Docker pads old entries with zero bytes.
        password = password.rstrip("\0")
    token = values.get("identitytoken")
    return Credentials(username, password, token) if username or token else None


def _unusable(problem: str) -> SetupError:
    return SetupError("InvalidSettings", f"config.json {problem}")
