"""What a uv.lock says of one project, in the form of pylock.toml, without the source's settings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from installer_errors import RecipeError
from packaging.utils import canonicalize_name
from project_files import read_toml, table, text_of, texts
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,98}[A-Za-z0-9])?", re.ASCII)
_ALL_GROUPS = "all"


def export_lock(lock: Path, folder: Path, uv: Callable[..., None]) -> dict[str, Any]:
    """The document of a pylock.toml; `folder` is empty, and `uv` runs uv somewhere else.

    uv is shown the lock and a project that has of the author's only its name and its groups: not
    [tool.uv], which says where packages and caches are, and no workspace, whose code could be run.
    """
    project = read_toml(lock.parent / "pyproject.toml")
    (folder / "pyproject.toml").write_text(_project(project))
    (folder / "uv.lock").write_bytes(lock.read_bytes())
    exported = folder / "pylock.toml"
    arguments = ["export", "--frozen", "--no-emit-project", "--no-header", "--quiet"]
    arguments += ["--format", "pylock.toml", "--project", str(folder)]
    arguments += ["--output-file", str(exported), "--no-default-groups"]
    for group in _groups(project):
        arguments += ["--group", group]
    uv(*arguments)
    return read_toml(exported)


def _project(document: Mapping[str, Any]) -> str:
    known = table(document, "project")
    lines = ["[tool.uv.workspace]", "members = []"]
    if known:
        name = text_of(known, "name", "pyproject.toml")
        lines = ["[project]", f"name = {_text(_checked(name))}", 'version = "0"']
        if requires := text_of(known, "requires-python", "pyproject.toml"):
            lines.append(f"requires-python = {_text(requires)}")
    lines += ["[dependency-groups]", *(f"{_text(group)} = []" for group in _groups(document))]
    return "\n".join([*lines, ""])


def _groups(document: Mapping[str, Any]) -> list[str]:
    """Those that the author wants to be installed by default; what is for development is not."""
    default = table(document, "tool", "uv").get("default-groups")
    known = table(document, "dependency-groups")
    if default is None:
        return []
    names = list(known) if default == _ALL_GROUPS else texts(default, "default-groups")
    return [_checked(name) for name in names if canonicalize_name(name) != "dev"]


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RecipeError("InvalidRequirements", f"pyproject.toml: {shown(name)!r} is not a name")
    return name


def _text(value: str) -> str:
    # What JSON writes for these is a basic string of TOML, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
