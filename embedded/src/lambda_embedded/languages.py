"""The languages of an installation, as the folders of its `runtimes/` describe them.

The command line reads them here too: which files make a source of which language, what they leave
beside it, and which interpreters this machine has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_builder import runtime
from lambda_builder.errors import BuildError
from lambda_builder.own_interpreter import VERSION, find_program, is_own_interpreter
from lambda_builder.runtime import source_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_builder.language import Interpreter, Language

__all__ = [
    "InvalidRuntimesError",
    "find_program",
    "own_language",
    "read_languages",
    "runs_on_own_interpreter",
    "source_suffixes",
]


class InvalidRuntimesError(Exception):
    """A `runtime.toml` cannot be used; the message names the file and the field."""


def read_languages(runtimes: Path) -> list[Language]:
    """All languages, by name; `InvalidRuntimesError` if one of them is not well described."""
    try:
        return runtime.read_languages(runtimes)
    except BuildError as error:
        raise InvalidRuntimesError(error.message) from error


def runs_on_own_interpreter(interpreter: Interpreter, version: str = VERSION) -> bool:
    """Whether the interpreter that runs this program is one of these, in this version."""
    return is_own_interpreter(interpreter.probe_of(version)[0])


def own_language(languages: Iterable[Language]) -> Language | None:
    """The language whose interpreter is at hand wherever this program runs."""
    for language in languages:
        if language.interpreter is not None and runs_on_own_interpreter(language.interpreter):
            return language
    return None
