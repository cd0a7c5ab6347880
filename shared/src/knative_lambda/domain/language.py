"""The languages of an installation, as far as the control functions need to know them.

One entry of the setting `KN_LAMBDA_LANGUAGES` for each folder in runtimes/. Free of pydantic, which
would be a third of a function's start.
"""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from knative_lambda.domain.errors import UnsupportedRuntimeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from knative_lambda.domain.storage import SourceSuffixes

_LINE_ENDS = str.maketrans(dict.fromkeys("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language: its files, and which of them ask for packages."""

    name: str
    """Its runtimes are this and a version, such as python3.12."""
    suffixes: tuple[str, ...]
    """Of objects that are a source of one file; any other object is an archive."""
    packages: str
    """Folder of the packages, beside the source."""
    default_handler: str
    manifest: str | None = None
    requests: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Name of a file at the root of the source (fnmatch) -> what such a file contains if it may ask
    for packages. Without any, a source has to be looked at by its recipe, all of it."""
    includes: re.Pattern[str] | None = None
    """What names another file that belongs to the request, as the group `file`."""

    def is_request(self, name: str) -> bool:
        """Whether a file of this name at the root of a source may ask for packages."""
        return any(_at_root(name, pattern) for pattern in self.requests)

    def asks(self, name: str, text: str) -> bool:
        """Whether this file at the root of a source may ask for packages."""
        lines = _lines(text)
        return any(
            content.search(lines) is not None
            for pattern, content in self.requests.items()
            if _at_root(name, pattern)
        )

    def included(self, text: str) -> Iterator[str]:
        """Yield the paths that a file of the request names, relative to it."""
        if self.includes is not None:
            for found in self.includes.finditer(_lines(text)):
                yield found["file"]


@dataclass(frozen=True, slots=True)
class Languages:
    """All languages of an installation."""

    known: tuple[Language, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the setting; `ValueError` says what is wrong with it, but not its value."""
        try:
            return cls(tuple(_language(entry) for entry in json.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, re.error):
            raise ValueError(
                'must be JSON such as [{"name": "python", "suffixes": [".py"],'
                ' "packages": "packages", "defaultHandler": "main.handler"}]'
            ) from None

    @property
    def suffixes(self) -> SourceSuffixes:
        """Suffixes of objects that are a source of one file."""
        return tuple(sorted({suffix for language in self.known for suffix in language.suffixes}))

    def of(self, runtime: str) -> Language:
        """Return the language of a runtime."""
        name = language_name(runtime)
        for language in self.known:
            if language.name == name:
                return language
        raise UnsupportedRuntimeError(f"{name} is not installed here", field="runtime")


def language_name(runtime: str) -> str:
    """Return the name of a runtime's language, whether or not it is installed."""
    return runtime.rstrip("0123456789.")


def _lines(text: str) -> str:
    """Let every end of a line that Python knows be one for a pattern too."""
    # Not by splitting: each line of a few characters would take twenty times its length.
    return text.translate(_LINE_ENDS)


def _at_root(name: str, pattern: str) -> bool:
    return "/" not in name and fnmatch.fnmatchcase(name, pattern)


def _language(entry: dict[str, Any]) -> Language:
    suffixes = tuple(_text(suffix) for suffix in entry["suffixes"])
    if not all(re.fullmatch(r"\.[A-Za-z0-9.]+", suffix) for suffix in suffixes):
        raise ValueError("suffixes have dots")
    manifest, includes = entry.get("manifest"), entry.get("includes")
    return Language(
        name=_text(entry["name"]),
        suffixes=suffixes,
        packages=_text(entry["packages"]),
        default_handler=_text(entry["defaultHandler"]),
        manifest=None if manifest is None else _text(manifest),
        requests={
            name: re.compile(_text(pattern), re.MULTILINE)
            for name, pattern in entry.get("requests", {}).items()
        },
        includes=None if includes is None else re.compile(_text(includes), re.MULTILINE),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value
