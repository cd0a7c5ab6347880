"""Reads a pyproject.toml and the locks beside it, which anybody may have written."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_toml(file: Path) -> dict[str, Any]:
    """The document; `InvalidRequirements` says why it is none."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RecipeError("InvalidRequirements", f"{file.name}: {error}") from None


def table(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The table at that place, empty where there is none."""
    found: Any = document
    for name in names:
        found = found.get(name, {})
        if not isinstance(found, dict):
            message = f"{name} is no table of pyproject.toml or its lock"
            raise RecipeError("InvalidRequirements", message)
    return dict(found)


def tables(value: object, file: str) -> list[dict[str, Any]]:
    """The entries of a list of tables, none where there is no list."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RecipeError("InvalidRequirements", f"{file} is not in the form of its kind")
    return found


def project_dependencies(document: Mapping[str, Any]) -> list[str] | None:
    """The texts of `dependencies`; None where only running the project's code could tell them."""
    project = table(document, "project")
    dependencies = project.get("dependencies")
    if dependencies is None and "dependencies" in texts(project.get("dynamic"), "dynamic"):
        return None
    return texts(dependencies, "dependencies")


def texts(value: object, field: str) -> list[str]:
    """A list of text, empty where there is none."""
    found = value or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        message = f"pyproject.toml: {field} is no list of text"
        raise RecipeError("InvalidRequirements", message)
    return found
