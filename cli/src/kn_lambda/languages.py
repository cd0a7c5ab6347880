"""The languages of the installation's `runtimes/`."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError
from lambda_embedded.installation import INSTALLATION

if TYPE_CHECKING:
    from lambda_builder.language import Language

_RUNTIME = re.compile(r"([a-z]+)([0-9][0-9.]*)?")


@cache
def languages() -> list[Language]:
    """Return all languages by name; `CommandError` if one of them is described wrongly."""
    from lambda_embedded.languages import InvalidRuntimesError, read_languages  # noqa: PLC0415

    try:
        return read_languages(INSTALLATION / "runtimes")
    except InvalidRuntimesError as error:
        raise CommandError(
            str(error), hint="Correct that file, or install kn-lambda again."
        ) from error


def language_names() -> list[str]:
    """Return the names that a person may choose from."""
    return [language.name for language in languages()]


def language_of(runtime: str) -> tuple[Language | None, str]:
    """Return the language of a runtime, by its name or an alias, and the version or ""."""
    match = _RUNTIME.fullmatch(runtime)
    if match is None:
        return None, ""
    name, version = match[1], match[2] or ""
    found = (each for each in languages() if name in (each.name, *each.aliases))
    return next(found, None), version


def default_language() -> Language:
    """Return the language of kn-lambda itself: its interpreter is always there."""
    from lambda_embedded.languages import own_language  # noqa: PLC0415

    return own_language(languages()) or languages()[0]
