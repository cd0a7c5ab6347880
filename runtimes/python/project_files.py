"""Reads a pyproject.toml and the locks beside it, which anybody may have written."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError
from source_text import LOCK_BYTES, MANIFEST_BYTES, read_text, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# What the time of reading grows with: 16 MiB of a lock as uv writes it have about 900 000.
_MANIFEST_MARKS = 200_000
_LOCK_MARKS = 1_500_000
_MARKS = "=,[.\n"
# Reading a key takes the square of its parts.
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
MAX_TEXT_CHARACTERS = 4096


def read_toml(file: Path) -> dict[str, Any]:
    """The document; `InvalidRequirements` says why it is none."""
    is_manifest = file.name == "pyproject.toml"
    text = read_text(file, MANIFEST_BYTES if is_manifest else LOCK_BYTES)
    if sum(map(text.count, _MARKS)) > (_MANIFEST_MARKS if is_manifest else _LOCK_MARKS):
        raise _invalid(f"{file.name} has too many entries")
    if _DEEP_KEY.search(text):
        raise _invalid(f"{file.name} has a key of more than 32 parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _invalid(f"{file.name} is nested too deep") from None
    except ValueError as error:
        raise _invalid(f"{file.name}: {shown(str(error))}") from None


def table(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The table at that place; empty if it does not exist."""
    found: Any = document
    for name in names:
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise _invalid(f"pyproject.toml or its lock: {name} is not a table")
    return dict(found)


def tables(value: object, file: str) -> list[dict[str, Any]]:
    """The entries of a list of tables; none if it does not exist."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise _invalid(f"{file} is not in the form of its kind")
    return found


def project_dependencies(document: Mapping[str, Any]) -> list[str] | None:
    """The texts of `dependencies`; None if they are known only to the project's code."""
    project = table(document, "project")
    dependencies = project.get("dependencies")
    if dependencies is None and "dependencies" in texts(project.get("dynamic"), "dynamic"):
        return None
    return texts(dependencies, "dependencies")


def text_of(entry: Mapping[str, Any], field: str, file: str) -> str:
    """The text of a field; empty if it does not exist."""
    found = entry.get(field, "")
    if not isinstance(found, str) or len(found) > MAX_TEXT_CHARACTERS:
        raise _invalid(
            f"{file}: {field} is not a string, or has more than {MAX_TEXT_CHARACTERS} characters"
        )
    return found


def texts(value: object, field: str, file: str = "pyproject.toml") -> list[str]:
    """A list of texts; empty if it does not exist."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise _invalid(f"{file}: {shown(field)} is not a list of strings")
    return found


def _invalid(message: str) -> RecipeError:
    return RecipeError("InvalidRequirements", message)
