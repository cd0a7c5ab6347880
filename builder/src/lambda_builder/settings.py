"""The settings of each program of a build, by the names of the contract of a build."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Mapping


def _invalid(name: str, problem: str) -> PlatformError:
    return PlatformError("InvalidSettings", f"{name} {problem}")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of a program; a wrong value is named, never shown."""

    values: Mapping[str, str] = field(repr=False)

    def text(self, name: str) -> str:
        """Value of a required setting."""
        if not (value := self.values.get(name, "")):
            raise _invalid(name, "is not set")
        return value

    def optional(self, name: str) -> str | None:
        """Value of a setting, or None where it is absent or empty."""
        return self.values.get(name) or None

    def texts(self, name: str) -> dict[str, str] | None:
        """A JSON object of texts, or None where it is absent or empty."""
        if (value := self.optional(name)) is None:
            return None
        document = _parsed(value)
        if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
            raise _invalid(name, "is not a JSON object of texts")
        return document

    def check_list(self, name: str) -> None:
        """Reject what is not a JSON list of texts."""
        document = _parsed(self.text(name))
        if not isinstance(document, list) or not all(isinstance(item, str) for item in document):
            raise _invalid(name, "is not a JSON list of texts")

    def number(self, name: str) -> int:
        """A whole number above zero."""
        if not re.fullmatch(r"[0-9]{1,18}", value := self.text(name)) or int(value) == 0:
            raise _invalid(name, "is not a whole number above zero")
        return int(value)

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false."""
        value = self.values.get(name, "").lower() or "false"
        if value not in {"true", "false"}:
            raise _invalid(name, "is neither true nor false")
        return value == "true"

    def folder(self, name: str) -> Path:
        """An existing folder, as an absolute path."""
        if not (path := Path(self.text(name))).is_dir():
            raise _invalid(name, "is not a folder")
        return path.resolve()


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextSettings:
    """Where the context is, and how much it may hold."""

    url: str = field(repr=False)
    sha256: str
    max_bytes: int
    source_max_bytes: int
    source_max_files: int

    @classmethod
    def read(cls, environment: Environment) -> ContextSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        sha256 = environment.text("CONTEXT_SHA256").removeprefix("sha256:").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise _invalid("CONTEXT_SHA256", "is not a sha256 in hexadecimal")
        return cls(
            url=environment.text("CONTEXT_URL"),
            sha256=sha256,
            max_bytes=environment.number("CONTEXT_MAX_BYTES"),
            source_max_bytes=environment.number("SOURCE_MAX_BYTES"),
            source_max_files=environment.number("SOURCE_MAX_FILES"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultSettings:
    """Where the packages go, and how large they may be."""

    url: str = field(repr=False)
    fields: Mapping[str, str] | None = field(repr=False)
    """Of a form that is posted; None for a PUT."""
    max_bytes: int

    @classmethod
    def read(cls, environment: Environment) -> ResultSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        return cls(
            url=environment.text("RESULT_URL"),
            fields=environment.texts("RESULT_FIELDS"),
            max_bytes=environment.number("RESULT_MAX_BYTES"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who we are to the package index."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallSettings:
    """What packages are installed, and from where."""

    workspace: Path
    runtime: str
    runtimes_dir: Path
    package_index_url: str | None = field(repr=False)
    index_credentials: Credentials | None
    allow_source_packages: bool
    policy: Mapping[str, str]
    """Further variables of the policy, as the recipe gets them."""
    timeout_seconds: int
    machine: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environment: Environment) -> InstallSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        policy = {}
        if (prefixes := environment.optional("PACKAGE_URL_PREFIXES")) is not None:
            environment.check_list("PACKAGE_URL_PREFIXES")
            policy["PACKAGE_URL_PREFIXES"] = prefixes
        for name in ("ALLOW_GIT_PACKAGES", "REQUIRE_HASHES"):
            if environment.flag(name):
                policy[name] = "true"
        return cls(
            workspace=environment.folder("BUILD_WORKSPACE"),
            runtime=environment.text("RUNTIME"),
            runtimes_dir=environment.folder("RUNTIMES_DIR"),
            package_index_url=environment.optional("PACKAGE_INDEX_URL"),
            index_credentials=_credentials(environment),
            allow_source_packages=environment.flag("ALLOW_SOURCE_PACKAGES"),
            policy=policy,
            timeout_seconds=environment.number("BUILD_TIMEOUT_SECONDS"),
            machine=environment.values,
        )


def _credentials(environment: Environment) -> Credentials | None:
    name = "PACKAGE_INDEX_CREDENTIALS"
    if (known := environment.texts(name)) is None:
        return None
    if known.keys() != {"username", "password"}:
        raise _invalid(name, 'is not {"username": ..., "password": ...}')
    return Credentials(**known)
