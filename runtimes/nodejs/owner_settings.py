"""What the owner of this machine told npm: registries of scopes, credentials, certificates."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from package_index import DEFAULT_URL, PackageIndex, PackageIndexes, basic

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "npm_config_"
# What an npm that fetches from this process only may still be told.
_PASSED = re.compile(r"npm_config_(cache|.*timeout|.*retries|.*offline|maxsockets)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class OwnerSettings:
    """npm's settings, as npm itself reads them, with the credentials that it does not show."""

    values: Mapping[str, Any]
    credentials: Mapping[str, str]

    def indexes(self, url: str | None, authorization: str | None) -> PackageIndexes:
        """Where packages come from; `url` goes before the owner's own registry."""
        default = PackageIndex.at(
            url or str(self.values.get("registry") or DEFAULT_URL), authorization=authorization
        )
        scopes = {
            name.removesuffix(":registry"): self._known(PackageIndex.at(str(value)))
            for name, value in self.values.items()
            if name.startswith("@") and name.endswith(":registry")
        }
        return PackageIndexes(default=self._known(default), of_scopes=scopes)

    def _known(self, index: PackageIndex) -> PackageIndex:
        if index.authorization is not None:
            return index
        place = index.url.partition(":")[2]
        while place.strip("/"):
            if found := self._authorization(place):
                return PackageIndex(url=index.url, authorization=found)
            place = place.rstrip("/").rpartition("/")[0] + "/"
        return index

    def _authorization(self, place: str) -> str | None:
        known = {
            name: value
            for name in ("_authToken", "_auth", "username", "_password")
            if (value := self.credentials.get(f"{place}:{name}"))
        }
        if "_authToken" in known:
            return f"Bearer {known['_authToken']}"
        if "_auth" in known:
            return f"Basic {known['_auth']}"
        if {"username", "_password"} <= known.keys():
            password = base64.b64decode(known["_password"]).decode(errors="replace")
            return basic(known["username"], password)
        return None


def read_owner_settings(
    npm: str, folder: Path, environment: Mapping[str, str], *, has_index: bool
) -> OwnerSettings:
    """Ask npm, unless an index is given and nothing on this machine says more of it."""
    told = {name for name in environment if name.lower().startswith(_PREFIX)}
    if has_index and all(_PASSED.fullmatch(name) for name in told):
        return OwnerSettings(values={}, credentials={})
    process = subprocess.run(
        [npm, "config", "list", "--json"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        values = json.loads(process.stdout)
    except ValueError:
        values = {}
    if not isinstance(values, dict):
        values = {}
    return OwnerSettings(values=values, credentials=_credentials(values, environment))


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is read here, or would lead npm elsewhere."""
    proxies = re.compile(r"((https?|all|no)_)?proxy", re.IGNORECASE)
    return {
        name: value
        for name, value in environment.items()
        if _PASSED.fullmatch(name)
        or not (name.lower().startswith(_PREFIX) or proxies.fullmatch(name))
    }


def _credentials(values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in ("globalconfig", "userconfig"):
        try:
            text = Path(str(values.get(kind) or "")).read_text()
        except (OSError, ValueError):
            continue
        for line in text.splitlines():
            name, separator, value = line.partition("=")
            if separator and name.strip().startswith("//"):
                found[name.strip()] = _expanded(value.strip().strip("\"'"), environment)
    for name, value in environment.items():
        if name.lower().startswith(f"{_PREFIX}//"):
            found[name[len(_PREFIX) :]] = value
    return found


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\??\}", lambda found: environment.get(found[1], found[0]), text)
