"""The index of a build, and its credential: for uv alone, and on no command line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from addresses import indexes_of, without_userinfo
from downloads import Credential

if TYPE_CHECKING:
    from collections.abc import Mapping

# uv finds the credential of an index by this.
_NAME = "platform"
# Of the machine: where there is an index of the build, no others are asked.
_OTHERS = re.compile(r"(UV|PIP)_(EXTRA_|DEFAULT_)?(INDEX(_.*)?|FIND_LINKS|NO_INDEX)", re.IGNORECASE)
_PROXIES = re.compile(r"(HTTP|HTTPS|ALL)_PROXY", re.IGNORECASE)
_MACHINES = (
    "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """PACKAGE_INDEX_URL, or what the machine says if that is not set."""

    url: str | None
    credential: Credential | None
    machines: tuple[str, ...] = ()

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> PackageIndex:
        """The index of a recipe's environment; an address may have the credential in it."""
        address = environment.get("PACKAGE_INDEX_URL")
        if not address:
            return cls(url=None, credential=None, machines=_of_machine(environment))
        parts = urlsplit(address)
        username = environment.get("PACKAGE_INDEX_USERNAME") or unquote(parts.username or "")
        password = environment.get("PACKAGE_INDEX_PASSWORD") or unquote(parts.password or "")
        url = without_userinfo(address)
        is_secret = bool(username or password)
        credential = Credential(index=url, username=username, password=password)
        return cls(url=url, credential=credential if is_secret else None)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of the indexes that are asked."""
        return self.machines if self.url is None else (self.url,)

    @property
    def arguments(self) -> list[str]:
        """Of uv."""
        return [] if self.url is None else ["--default-index", f"{_NAME}={self.url}"]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show."""
        password = self.credential.password if self.credential else ""
        return tuple(sorted({password, quote(password, safe="")} - {""}, key=len, reverse=True))

    def kept_from(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables of a uv that runs what is foreign: no index, and no way to one."""
        return {
            name: value
            for name, value in environment.items()
            if not _OTHERS.fullmatch(name) and not _PROXIES.fullmatch(name)
        }

    def with_credential(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The variables of a uv that asks the index, and runs nothing foreign."""
        known = dict(environment)
        if self.url is not None:
            known = {name: value for name, value in known.items() if not _OTHERS.fullmatch(name)}
        if self.credential is not None:
            known[f"UV_INDEX_{_NAME.upper()}_USERNAME"] = self.credential.username
            known[f"UV_INDEX_{_NAME.upper()}_PASSWORD"] = self.credential.password
        return known


def _of_machine(environment: Mapping[str, str]) -> tuple[str, ...]:
    texts = [environment.get(name) for name in _MACHINES]
    settings = _settings(environment.get("UV_CONFIG_FILE"))
    listed = settings.get("extra-index-url", [])
    texts += [settings.get("index-url"), *(listed if isinstance(listed, list) else [])]
    indexes = settings.get("index", [])
    texts += [index.get("url") for index in indexes if isinstance(index, dict)]
    return indexes_of(text for text in texts if isinstance(text, str))


def _settings(file: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(file).read_text()) if file else {}
    except (OSError, ValueError):
        # uv itself says what is wrong with it.
        return {}
