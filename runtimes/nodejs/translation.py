"""Addresses as npm sees them: every one leads to this process, which decides what is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from addresses import without_user
from asked_versions import AskedVersion, read_asked_version

if TYPE_CHECKING:
    from package_index import PackageIndexes
    from source_policy import SourcePolicy

ADDRESS = "-/address/"
TARBALL = "-/tarball/"
WITHOUT_HASH = "-/without-hash/"
_FILE = "/package.tgz"
_RANGES = ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies")


class Translation:
    """Equal addresses become equal texts, as npm compares those of a manifest and its lock."""

    def __init__(self, indexes: PackageIndexes, policy: SourcePolicy) -> None:
        self._indexes = indexes
        # npm may keep what it was served: never for another index or another policy.
        decided = [
            [index.url for index in indexes.all()],
            sorted(indexes.of_scopes),
            [str(prefix) for prefix in policy.prefixes],
            policy.allow_git,
        ]
        digest = hashlib.sha256(json.dumps(decided).encode()).hexdigest()
        # No name of the network ends like this.
        self.host = f"{digest[:40]}.invalid"
        self.base = f"http://{self.host}/"

    def wanted(self, text: str) -> str:
        """What npm is told for a version or an address."""
        asked = read_asked_version(text)
        return text if asked.kind == "version" else self.address(text, asked)

    def address(self, text: str, asked: AskedVersion | None = None) -> str:
        """What npm is told for an address, whether or not it may be fetched."""
        if path := self._indexes.tarball_path(text):
            return self.base + path
        return f"{self.base}{ADDRESS}{_encoded(canonical(text, asked))}{_FILE}"

    def tarball(self, url: str) -> str:
        """What npm is told for a file that the index itself names."""
        if any(index.is_on_host_of(url) for index in self._indexes.all()):
            return f"{self.base}{TARBALL}{_encoded(url)}{_FILE}"
        return self.address(url)

    def without_hash(self, name: str) -> str:
        """What npm is told for a package that is not to be fetched, since no hash is known."""
        return f"{self.base}{WITHOUT_HASH}{_encoded(name)}{_FILE}"

    def ranges(self, package: dict[str, Any]) -> list[tuple[str, str]]:
        """Replace the addresses in a package's requests; what asks for which."""
        found = []
        for field in _RANGES:
            listed = package.get(field)
            if not isinstance(listed, dict):
                continue
            for name, text in listed.items():
                if isinstance(text, str) and (told := self.wanted(text)) != text:
                    listed[name] = told
                    found.append((name, told))
        return found

    def is_outside(self, told: str) -> bool:
        """Whether what npm was told leads to another place than the index."""
        return told.startswith(self.base + ADDRESS)

    def original(self, text: str) -> str:
        """The text with the addresses that npm was not told; without credentials."""

        def decoded(found: re.Match[str]) -> str:
            return without_user(path_decoded(found[1]) or found[0])

        text = re.sub(f"{re.escape(self.base + ADDRESS)}([\\w=-]+){_FILE}", decoded, text)
        text = re.sub(f"{re.escape(self.base + TARBALL)}([\\w=-]+){_FILE}", decoded, text)
        return text.replace(self.base, self._indexes.default.url)


def canonical(text: str, asked: AskedVersion | None = None) -> str:
    """One text for all that mean the same; `read_asked_version` understands it."""
    asked = asked or read_asked_version(text)
    if asked.address is None or (asked.kind == "git" and asked.commit is None):
        return text
    return asked.address.url if asked.kind == "file" else f"git+{asked.address}#{asked.commit}"


def path_decoded(path: str) -> str | None:
    """What a path of this module stands for."""
    try:
        return base64.urlsafe_b64decode(path.removesuffix(_FILE).encode()).decode()
    except ValueError:
        return None


def _encoded(text: str) -> str:
    # JSON may have half a character; nothing has such an address.
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode()
