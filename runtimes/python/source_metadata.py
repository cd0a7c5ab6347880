"""What a source package says of itself without running it, and what it is built with."""

from __future__ import annotations

import lzma
import tarfile
import tomllib
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError
from packaging.metadata import RawMetadata, parse_email
from packaging.version import Version
from project_files import MAX_TEXT_CHARACTERS
from source_archives import read_files

if TYPE_CHECKING:
    from pathlib import Path

_FILE_BYTES = 1024 * 1024
# What uv and pip take where a package does not say.
_DEFAULT_BUILD = ("setuptools>=40.8.0",)
# Since this version of the metadata, what is not listed as dynamic is as it will be built.
_STATIC_SINCE = Version("2.2")
_DEPENDENCIES = {"requires-dist", "provides-extra", "requires-python"}


@dataclass(frozen=True, kw_only=True)
class SourceMetadata:
    """Read from its files."""

    build_requires: tuple[str, ...]
    version: str
    """0 if only its code knows."""
    requires: tuple[str, ...] | None
    """What it needs; None if only its code knows."""
    requires_python: str | None = None


def read_metadata(place: Path, told: str, subdirectory: str | None = None) -> SourceMetadata:
    """Of an archive or a folder; `InvalidRequirements` if it is none."""
    try:
        files = _files(place, subdirectory)
        document = tomllib.loads(files.get("pyproject.toml", b"").decode())
        build = document.get("build-system", {}).get("requires", list(_DEFAULT_BUILD))
        raw, _ = parse_email(files.get("PKG-INFO", b""))
        version, requires, requires_python = _of_metadata(raw) or _of_project(document)
        known = str(Version(version or "0"))
        found = [*build, *(requires or ())]
        if not all(isinstance(text, str) and len(text) < MAX_TEXT_CHARACTERS for text in found):
            raise ValueError("its requirements are no texts")  # noqa: TRY301 - told like the others
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError,
        tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    ) as error:  # fmt: skip
        message = f"{told}: not a source package: {error}"
        raise RecipeError("InvalidRequirements", message) from None
    return SourceMetadata(
        build_requires=tuple(build),
        version=known,
        requires=None if requires is None else tuple(requires),
        requires_python=requires_python,
    )


def _of_metadata(raw: RawMetadata) -> tuple[str | None, list[str], str | None] | None:
    version = raw.get("metadata_version")
    dynamic = {field.lower() for field in raw.get("dynamic", [])}
    if version is None or Version(version) < _STATIC_SINCE or dynamic & _DEPENDENCIES:
        return None
    return raw.get("version"), raw.get("requires_dist", []), raw.get("requires_python")


def _of_project(document: dict[str, Any]) -> tuple[str | None, list[str] | None, str | None]:
    project = document.get("project")
    if project is None:
        return None, None, None
    dynamic = set(project.get("dynamic", []))
    requires_python = project.get("requires-python")
    if dynamic & {"dependencies", "optional-dependencies"}:
        return project.get("version"), None, requires_python
    requires = list(project.get("dependencies", []))
    for extra, listed in project.get("optional-dependencies", {}).items():
        for text in listed:
            asked, _, marker = text.partition(";")
            condition = f"({marker.strip()}) and " if marker.strip() else ""
            requires.append(f"{asked.strip()} ; {condition}extra == '{extra}'")
    return project.get("version"), requires, requires_python


def _files(place: Path, subdirectory: str | None) -> dict[str, bytes]:
    """The files that say something, of the top folder or the one below it."""
    below = f"{subdirectory.strip('/')}/" if subdirectory else ""
    wanted = {f"{below}{name}": name for name in ("PKG-INFO", "pyproject.toml")}
    if place.is_dir():
        return {
            name: (place / path).read_bytes()[:_FILE_BYTES]
            for path, name in wanted.items()
            if (place / path).is_file() and (place / path).resolve().is_relative_to(place)
        }
    return read_files(place, wanted)


def write_stub(folder: Path, name: str, version: str, metadata: SourceMetadata) -> Path:
    """A wheel with nothing but these metadata, for the resolver."""
    escaped = name.replace("-", "_")
    information = f"{escaped}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {text}" for text in metadata.requires or ()]
    if metadata.requires_python:
        lines.append(f"Requires-Python: {metadata.requires_python}")
    members = {
        f"{information}/METADATA": "\n".join([*map(_one_line, lines), ""]),
        f"{information}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/RECORD": "",
    }
    stub = folder / f"{escaped}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(stub, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return stub


def _one_line(text: str) -> str:
    return " ".join(text.split())
