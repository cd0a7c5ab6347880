"""What `runtimes/<language>/runtime.toml` says about a runtime."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_builder.errors import PlatformError, UserError

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "runtime.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class MainFile:
    """Where packages of a language say, as `main`, which file of theirs is loaded."""

    manifest: str
    extensions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """One language in one version."""

    name: str
    language: str
    version: str
    folder: Path
    entrypoint: tuple[str, ...]
    server: Path
    packages: str
    default_handler: str
    recipe: tuple[str, ...]
    main: MainFile | None = None


def find_runtime(name: str, runtimes_dir: Path) -> Runtime:
    """The runtime of this name; `UnsupportedRuntime` tells which there are."""
    names: list[str] = []
    for file in sorted(runtimes_dir.glob(f"*/{_FILE}")):
        for runtime in _read(file):
            if runtime.name == name:
                return runtime
            names.append(runtime.name)
    raise UserError(
        "UnsupportedRuntime", f"there is no runtime {name!r}; choose {', '.join(names)}"
    )


def _read(file: Path) -> list[Runtime]:
    try:
        document = tomllib.loads(file.read_text())
        versions = _texts(document, "versions")
        return [_runtime(document, version, file.parent) for version in versions]
    except (KeyError, ValueError) as error:
        shown = f"{file.parent.name}/{_FILE}"
        raise PlatformError("InvalidRuntime", f"{shown} cannot be used: {error}") from error


def _runtime(document: dict[str, object], version: str, folder: Path) -> Runtime:
    language = _text(document, "language")
    packages = _text(document, "packages")
    if "/" in packages or packages in {".", "..", "source"}:
        raise ValueError("packages is not the name of one folder beside source")
    return Runtime(
        name=f"{language}{version}",
        language=language,
        version=version,
        folder=folder,
        entrypoint=_texts(document, "entrypoint"),
        server=folder / _text(document, "server"),
        packages=packages,
        default_handler=_text(document, "default_handler"),
        recipe=_texts(document, "recipe"),
        main=_main_file(document.get("main")),
    )


def _main_file(table: object) -> MainFile | None:
    if table is None:
        return None
    if not isinstance(table, dict) or not table:
        raise ValueError("main is not a table")
    return MainFile(manifest=_text(table, "manifest"), extensions=_texts(table, "extensions"))


def _text(document: dict[str, object], key: str) -> str:
    value = document[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is not a text")
    return value


def _texts(document: dict[str, object], key: str) -> tuple[str, ...]:
    value = document[key]
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{key} is not a list of texts")
    return tuple(value)
