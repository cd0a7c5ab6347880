"""The files of a new function: a template of its language, and perhaps a pipeline of a CI system.

A language's folder has them in `templates/<template>/` and `ci/<system>/`, as they are written.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lambda_builder.language import Language

DEFAULT_TEMPLATE = "event"
# What the files have in place of the function's name and of its language's version.
_NAME = re.compile(r"\bmy-function\b")
_VERSION = "{version}"
_MANIFEST = "function.yaml"


def copy_template(
    target: Path,
    name: str,
    language: Language,
    *,
    template: str | None = None,
    version: str = "",
    ci: str | None = None,
) -> list[str]:
    """Write the files of a new function into a folder, all or none; return their paths.

    A file that exists is never overwritten: `WrongUsageError` names all of them.
    """
    if target.exists() and not target.is_dir():
        raise WrongUsageError(f"{target} is not a folder", hint="Choose another name.")
    chosen = template or _default_template(language)
    texts = _texts(language, "templates", "--template", chosen)
    if ci is not None:
        texts |= _texts(language, "ci", "--ci", ci)
    filled = {
        _NAME.sub(name, path): _fill(path, text, name, language, version)
        for path, text in texts.items()
    }
    if in_the_way := [path for path in filled if _is_in_the_way(target, path)]:
        raise WrongUsageError(
            f"{target} already has {', '.join(in_the_way)}; nothing was changed",
            hint="Move these files away, or choose another folder.",
        )
    try:
        _write(target, filled)
    except OSError as error:
        raise CommandError(
            f"cannot write {error.filename}: {error.strerror}; nothing was changed",
            hint="Choose a folder that you may write to.",
        ) from error
    return list(filled)


def choices(language: Language, kind: str) -> list[str]:
    """Return the names that a language has files for; `kind` is `templates` or `ci`."""
    return sorted(folder.name for folder in (language.folder / kind).glob("[!.]*/"))


def _default_template(language: Language) -> str:
    names = choices(language, "templates")
    return DEFAULT_TEMPLATE if DEFAULT_TEMPLATE in names or not names else names[0]


def _texts(language: Language, kind: str, option: str, name: str) -> dict[str, str]:
    known = choices(language, kind)
    if name not in known:
        raise WrongUsageError(
            f"{option} {name!r} does not exist for {language.title}",
            hint=f"Choose one of {', '.join(known)}." if known else f"Leave out {option}.",
        )
    folder = language.folder / kind / name
    is_leftover = shutil.ignore_patterns(*language.source.leftovers)
    paths = (file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        path.as_posix(): (folder / path).read_text(encoding="utf-8")
        for path in paths
        if not is_leftover("", list(path.parts))
    }


def _fill(path: str, text: str, name: str, language: Language, version: str) -> str:
    text = _NAME.sub(name, text).replace(_VERSION, version or language.versions[-1])
    if path == _MANIFEST and version:
        text = re.sub(r"(?m)^  runtime:.*\n", "", text)
        text = text.replace("\nspec:\n", f"\nspec:\n  runtime: {language.name}{version}\n", 1)
    return text


def _is_in_the_way(target: Path, path: str) -> bool:
    """Whether something has this name, or a link or file that of a folder above it."""
    file = target / path
    if file.exists() or file.is_symlink():
        return True
    folders = [folder for folder in file.parents if folder.is_relative_to(target)][:-1]
    # A link may lead out of the folder, to files of which its owner does not think.
    return any(each.is_symlink() or (each.exists() and not each.is_dir()) for each in folders)


def _write(target: Path, texts: Mapping[str, str]) -> None:
    with _undone_after_an_error() as made:
        for path, text in texts.items():
            file = target / path
            for folder in reversed(file.parents):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            # "x", in case that somebody writes the same file meanwhile.
            with file.open("x", encoding="utf-8") as opened:
                made.append(file)
                opened.write(text)


@contextlib.contextmanager
def _undone_after_an_error() -> Iterator[list[Path]]:
    """Remove the files and folders of the list if the block fails or is interrupted."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
