"""The settings of each program of a build, by the names of the contract of a build."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# No program after `fetch` may see these.
FETCH_VARIABLES = frozenset(
    {"CONTEXT_URL", "CONTEXT_SHA256", "CONTEXT_MAX_BYTES", "SOURCE_MAX_BYTES", "SOURCE_MAX_FILES"}
)


def _invalid(name: str, problem: str) -> PlatformError:
    return PlatformError("InvalidSettings", f"{name} {problem}")


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of a program; a wrong value is named, never shown."""

    values: Mapping[str, str] = field(repr=False)

    def without(self, names: Collection[str]) -> Environment:
        """The environment of a program that must not see these."""
        return Environment({key: value for key, value in self.values.items() if key not in names})

    def text(self, name: str) -> str:
        """Value of a required setting."""
        if not (value := self.values.get(name, "")):
            raise _invalid(name, "is not set")
        return value

    def optional(self, name: str) -> str | None:
        """Value of a setting, or None where it is absent or empty."""
        return self.values.get(name) or None

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
class FetchSettings:
    """What `lambda_builder.fetch` reads."""

    workspace: Path
    context_url: str = field(repr=False)
    context_sha256: str
    context_max_bytes: int
    source_max_bytes: int
    source_max_files: int

    @classmethod
    def read(cls, environment: Environment) -> FetchSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        sha256 = environment.text("CONTEXT_SHA256").removeprefix("sha256:").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise _invalid("CONTEXT_SHA256", "is not a sha256 in hexadecimal")
        return cls(
            workspace=environment.folder("BUILD_WORKSPACE"),
            context_url=environment.text("CONTEXT_URL"),
            context_sha256=sha256,
            context_max_bytes=environment.number("CONTEXT_MAX_BYTES"),
            source_max_bytes=environment.number("SOURCE_MAX_BYTES"),
            source_max_files=environment.number("SOURCE_MAX_FILES"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildSettings:
    """What `lambda_builder.build` reads."""

    workspace: Path
    runtime: str
    runtimes_dir: Path
    package_index_url: str | None = field(repr=False)
    allow_source_packages: bool
    timeout_seconds: int
    machine: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environment: Environment) -> BuildSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        return cls(
            workspace=environment.folder("BUILD_WORKSPACE"),
            runtime=environment.text("RUNTIME"),
            runtimes_dir=environment.folder("RUNTIMES_DIR"),
            package_index_url=environment.optional("PACKAGE_INDEX_URL"),
            allow_source_packages=environment.flag("ALLOW_SOURCE_PACKAGES"),
            timeout_seconds=environment.number("BUILD_TIMEOUT_SECONDS"),
            machine=environment.values,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishSettings:
    """What `lambda_builder.publish` reads."""

    workspace: Path
    runtime: str
    runtimes_dir: Path
    repository_url: str
    tag: str
    base_image_url: str
    docker_config: Path | None

    @classmethod
    def read(cls, environment: Environment) -> PublishSettings:
        """Settings from the environment; `InvalidSettings` names the wrong one."""
        docker_config = environment.optional("DOCKER_CONFIG")
        return cls(
            workspace=environment.folder("BUILD_WORKSPACE"),
            runtime=environment.text("RUNTIME"),
            runtimes_dir=environment.folder("RUNTIMES_DIR"),
            repository_url=environment.text("IMAGE_REPOSITORY_URL"),
            tag=environment.text("IMAGE_TAG"),
            base_image_url=environment.text("BASE_IMAGE_URL"),
            docker_config=Path(docker_config) if docker_config else None,
        )
