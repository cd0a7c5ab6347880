"""Runtimes: one language in one version each, found in the folders of `runtimes/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_builder.errors import UserError
from lambda_builder.own_interpreter import VERSION, is_own_interpreter
from lambda_builder.runtime_file import FILE_NAME, read_language

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_builder.language import Language


RUNTIME_LABEL = "dev.knative-lambda.runtime"
"""The label of an image that names its runtime."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """One language in one version."""

    language: Language
    version: str

    @property
    def name(self) -> str:
        """The language with its version, as in a function's spec."""
        return f"{self.language.name}{self.version}"


def read_languages(runtimes_dir: Path) -> list[Language]:
    """All languages, by name; `InvalidRuntime` names a file that cannot be used, and its field."""
    return [read_language(file) for file in sorted(runtimes_dir.glob(f"*/{FILE_NAME}"))]


def languages_setting(languages: Iterable[Language]) -> str:
    """What the control functions need to know of them: the setting `KN_LAMBDA_LANGUAGES`."""
    return json.dumps([_setting_of(language) for language in languages])


def _setting_of(language: Language) -> dict[str, object]:
    installer, entry = language.installer, dict[str, object]()
    entry["name"] = language.name
    entry["suffixes"] = sorted(language.source.suffixes)
    entry["packages"] = language.packages
    if language.source.manifest is not None:
        entry["manifest"] = language.source.manifest
    entry["defaultHandler"] = language.default_handler
    if installer.requests:
        entry["requests"] = {name: each.pattern for name, each in installer.requests.items()}
    if installer.includes is not None:
        entry["includes"] = installer.includes.pattern
    return entry


def is_own(language: Language, version: str = VERSION) -> bool:
    """Whether the interpreter that runs this program is the language's, in this version."""
    interpreter = language.interpreter
    return interpreter is not None and is_own_interpreter(interpreter.probe_of(version)[0])


def own_language(languages: Iterable[Language]) -> Language | None:
    """The language whose interpreter is at hand wherever this program runs."""
    return next((language for language in languages if is_own(language)), None)


def runtimes_of(language: Language) -> list[Runtime]:
    """The runtimes of a language, in the order of its versions."""
    return [Runtime(language=language, version=version) for version in language.versions]


def find_runtime(name: str, runtimes_dir: Path) -> Runtime:
    """The runtime of this name; `UnsupportedRuntime` lists those that exist."""
    known = [each for language in read_languages(runtimes_dir) for each in runtimes_of(language)]
    for runtime in known:
        if runtime.name == name:
            return runtime
    names = ", ".join(runtime.name for runtime in known)
    raise UserError("UnsupportedRuntime", f"there is no runtime {name!r}; choose {names}")
