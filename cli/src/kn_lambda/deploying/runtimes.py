"""Which runtime is meant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError
from kn_lambda.languages import language_names, language_of, languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lambda_builder.language import SourceFiles

_NAME = re.compile(r"([a-z]+)([0-9][0-9.]*)?")
_EVERY_VERSION = "\nTo let the embedded platform offer all on PATH: kn-lambda up --every-runtime"


def installed_runtimes(settings: Mapping[str, str]) -> list[str]:
    """Return the runtimes of an installation, newest last within a language."""
    try:
        names = json.loads(settings.get("KN_LAMBDA_BASE_IMAGES") or "{}")
    except ValueError:
        names = {}
    return sorted(names, key=_order)


def resolve_runtime(asked: str, installed: Iterable[str]) -> str:
    """Return an installed runtime: the requested one, or the newest of a language."""
    known = sorted(installed, key=_order)
    language, version = language_of(asked)
    wanted = f"{language.name}{version}" if language else asked
    if wanted in known:
        return wanted
    newest = [name for name in known if _NAME.fullmatch(name) and _order(name)[0] == wanted]
    if newest:
        return newest[-1]
    choice = ", ".join(known) or "none: the platform has no runtime at all"
    is_known = language is not None and version in language.versions
    raise WrongUsageError(
        f"runtime: {asked!r} is not installed here",
        hint=f"Choose one of {choice}." + (_EVERY_VERSION if is_known else ""),
    )


def guess_language(path: Path) -> str:
    """Return the language that the names of files imply; `WrongUsageError` if they do not."""
    found = [language.name for language in languages() if _is_source_of(path, language.source)]
    if len(found) != 1:
        choice = " or ".join(f"--runtime {name}" for name in language_names())
        raise WrongUsageError(
            f"cannot detect the language of {path}",
            hint=f"Set it with {choice}. To begin a function: kn-lambda init NAME",
        )
    return found[0]


def require_code(path: Path) -> None:
    """Raise `WrongUsageError` for a file that no runtime loads, such as an archive."""
    suffixes = [suffix for language in languages() for suffix in language.source.suffixes]
    if path.is_file() and path.suffix not in suffixes:
        raise WrongUsageError(
            f"{path} is not a source file ({', '.join(suffixes)})",
            hint="Deploy a folder. To deploy an archive from storage, use --source URI.",
        )


def default_module(runtime: str) -> str | None:
    """Return the module of a runtime's default handler; None if the language is not known."""
    language, _ = language_of(runtime)
    return language.default_module if language else None


def _is_source_of(path: Path, files: SourceFiles) -> bool:
    if path.is_file():
        return path.suffix in files.suffixes
    return any((path / name).is_file() for name in files.markers)


def _order(name: str) -> tuple[str, tuple[int, ...]]:
    match = _NAME.fullmatch(name)
    if match is None:
        return name, ()
    numbers = (match[2] or "").split(".")
    return match[1], tuple(int(number) for number in numbers if number)
