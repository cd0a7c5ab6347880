"""The languages of an installation, as the folders of its `runtimes/` describe them.

The command line reads them here too: which files make a source of which language, what they leave
beside it, and which interpreters this machine has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_builder import runtime
from lambda_builder.errors import BuildError
from lambda_builder.own_interpreter import find_program
from lambda_builder.runtime import is_own, languages_setting, own_language

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.language import Language

__all__ = [
    "InvalidRuntimesError",
    "find_program",
    "is_own",
    "languages_setting",
    "own_language",
    "read_languages",
]


class InvalidRuntimesError(Exception):
    """A `runtime.toml` cannot be used; the message names the file and the field."""


def read_languages(runtimes: Path) -> list[Language]:
    """All languages, by name; `InvalidRuntimesError` if one of them is not well described."""
    try:
        return runtime.read_languages(runtimes)
    except BuildError as error:
        raise InvalidRuntimesError(error.message) from error
