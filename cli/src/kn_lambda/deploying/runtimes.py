"""Which runtime is meant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_NAME = re.compile(r"([a-z]+)([0-9][0-9.]*)?")
_LANGUAGES = {".py": "python", ".js": "nodejs", ".mjs": "nodejs", ".cjs": "nodejs"}
_SIGNS = {
    "python": ("main.py", "requirements.txt", "pyproject.toml"),
    "nodejs": ("package.json", "index.js", "index.mjs"),
}


def installed_runtimes(settings: Mapping[str, str]) -> list[str]:
    """Return the runtimes of an installation, newest last within a language."""
    try:
        names = json.loads(settings.get("KN_LAMBDA_BASE_IMAGES") or "{}")
    except ValueError:
        names = {}
    return sorted(names, key=_order)


def resolve_runtime(asked: str, installed: Iterable[str]) -> str:
    """Return an installed runtime: the one asked for, or the newest of a language."""
    known = sorted(installed, key=_order)
    if asked in known:
        return asked
    newest = [name for name in known if _NAME.fullmatch(name) and _order(name)[0] == asked]
    if newest:
        return newest[-1]
    choice = ", ".join(known) or "none; the platform has no runtime at all"
    raise WrongUsageError(f"runtime: {asked!r} is not installed here; choose one of {choice}")


def guess_language(path: Path) -> str:
    """Tell the language from the names of files; `WrongUsageError` when they do not tell."""
    if path.is_file():
        found = [_LANGUAGES[path.suffix]] if path.suffix in _LANGUAGES else []
    else:
        found = [
            language
            for language, names in _SIGNS.items()
            if any((path / name).is_file() for name in names)
        ]
    if len(found) != 1:
        raise WrongUsageError(
            f"cannot detect the language of {path}",
            hint="Set it with --runtime python or --runtime nodejs.",
        )
    return found[0]


def require_code(path: Path) -> None:
    """Refuse one file that no runtime can load, such as an archive: it would be served as it is."""
    if path.is_file() and path.suffix not in _LANGUAGES:
        raise WrongUsageError(
            f"{path} is not a source file ({', '.join(_LANGUAGES)})",
            hint="Deploy a folder. To deploy an archive from storage, use --source URI.",
        )


def _order(name: str) -> tuple[str, tuple[int, ...]]:
    match = _NAME.fullmatch(name)
    if match is None:
        return name, ()
    numbers = (match[2] or "").split(".")
    return match[1], tuple(int(number) for number in numbers if number)
