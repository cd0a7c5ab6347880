"""Reads a package.json and the lock beside it, which anybody may have written."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError, cut
from locks import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

_MAX_MANIFEST_BYTES = 1024 * 1024
_MAX_LOCK_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 64


def read_json(file: Path) -> dict[str, Any] | None:
    """The object in a file that is there; `InvalidRequirements` says why it is none."""
    if not file.is_file():
        return None
    try:
        document = json.loads(_text(file), parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise _invalid(f"{file.name} is nested too deep") from None
    except ValueError as error:
        raise _invalid(f"{file.name}: {error}") from None
    if not isinstance(document, dict):
        raise _invalid(f"{file.name} is not a JSON object")
    if _is_deep(document):
        raise _invalid(f"{file.name} is nested too deep")
    return document


def locked_packages(lock: dict[str, Any], file: str) -> dict[str, dict[str, Any]]:
    """What a lock says of each package, by its folder."""
    packages = lock.get("packages") or {}
    if not isinstance(packages, dict) or not all(isinstance(p, dict) for p in packages.values()):
        raise _invalid(f"{file}: packages is not an object of objects")
    for name, package in packages.items():
        if not name.isprintable() or not isinstance(package.get("resolved", ""), str | bool):
            raise _invalid(f"{file}: {cut(ascii(name))} is not a package entry as npm writes it")
    return packages


def dependencies(manifest: dict[str, Any]) -> dict[str, str]:
    """The requested versions of what is installed, by name."""
    found: dict[str, str] = {}
    for field in ("dependencies", "optionalDependencies", "peerDependencies"):
        found |= requests(manifest, field)
    return found


def requests(manifest: dict[str, Any], field: str) -> dict[str, str]:
    """The versions that one field of a package.json asks for, by name."""
    listed = manifest.get(field) or {}
    if not isinstance(listed, dict):
        raise _invalid(f"{MANIFEST}: {field} is not an object")
    for name, wanted in listed.items():
        if not name.isprintable() or not isinstance(wanted, str):
            raise _invalid(
                f"{MANIFEST}: {field}: {cut(ascii(name))} has no version that is a string"
            )
    return dict(listed)


def _text(file: Path) -> str:
    limit = _MAX_MANIFEST_BYTES if file.name == MANIFEST else _MAX_LOCK_BYTES
    with file.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise _invalid(f"{file.name} is larger than {limit // 1024**2} MiB")
    return content.decode("utf-8-sig")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{cut(text)} is not a JSON number")
    return number


def _is_deep(document: object) -> bool:
    level = [document]
    for _ in range(_MAX_DEPTH):
        nested = [each.values() if isinstance(each, dict) else each for each in level]
        level = [child for each in nested for child in each if isinstance(child, dict | list)]
    return bool(level)


def _invalid(message: str) -> RecipeError:
    return RecipeError("InvalidRequirements", message)
