"""Reads `runtime.toml`; whatever is wrong is named by file and field."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from lambda_builder.errors import PlatformError
from lambda_builder.language import (
    Compiler,
    Debugger,
    Environment,
    ImagePart,
    Images,
    Installer,
    Interpreter,
    Language,
    OfficialImage,
    SourceFiles,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "runtime.toml"
# The rules of a spec's `runtime`, which is language + version.
_LANGUAGE = re.compile(r"[a-z]+")
_VERSION = re.compile(r"[0-9][0-9.]*")
_SUFFIX = re.compile(r"\.[A-Za-z0-9.]+")
_HANDLER = re.compile(r"([\w-]+/)*[\w-]+\.\w+", re.ASCII)


def read_language(file: Path) -> Language:
    """The language of one file; `InvalidRuntime` names the file and the field that is wrong."""
    try:
        fields = _Fields(tomllib.loads(file.read_text(encoding="utf-8")))
        language = _language(fields, file.parent)
        fields.finish()
    except ValueError as error:
        shown = f"{file.parent.name}/{FILE_NAME}"
        raise PlatformError("InvalidRuntime", f"{shown} cannot be used: {error}") from error
    return language


class _Fields:
    """The fields of one table; `ValueError` names a wrong one in full."""

    def __init__(self, values: Mapping[str, object], table: str = "") -> None:
        self._values = values
        self._table = table
        self._read: set[str] = set()
        self._inner: list[_Fields] = []

    def wrong(self, field: str, problem: str) -> ValueError:
        return ValueError(f"{self._table}{field} {problem}")

    def text(self, field: str, default: str | None = None) -> str:
        value = self._value(field, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(field, "is not a text")
        return value

    def optional_text(self, field: str) -> str | None:
        return self.text(field) if field in self._values else None

    def matching(self, field: str, pattern: re.Pattern[str], meaning: str) -> str:
        if not pattern.fullmatch(value := self.text(field)):
            raise self.wrong(field, f"is not {meaning}")
        return value

    def texts(self, field: str, *, optional: bool = False) -> tuple[str, ...]:
        value = self._value(field, [] if optional else None)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(field, "is not a list of texts")
        if not value and not optional:
            raise self.wrong(field, "is empty")
        return tuple(value)

    def all_matching(
        self, field: str, pattern: re.Pattern[str], meaning: str, *, optional: bool = False
    ) -> tuple[str, ...]:
        values = self.texts(field, optional=optional)
        if wrong := [value for value in values if not pattern.fullmatch(value)]:
            raise self.wrong(field, f"has {wrong[0]!r}, which is not {meaning}")
        return values

    def mapping(self, field: str) -> dict[str, str]:
        value = self._value(field, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise self.wrong(field, "is not a table of texts")
        return value

    def document(self, field: str) -> dict[str, object]:
        value = self._value(field, None)
        if not isinstance(value, dict):
            raise self.wrong(field, "is not a table")
        return value

    def port(self, field: str) -> int:
        value = self._value(field, None)
        if not isinstance(value, int) or value not in range(1, 65536):
            raise self.wrong(field, "is not a port")
        return value

    def pattern(self, field: str) -> re.Pattern[str]:
        return self._compiled(field, self.text(field), re.DOTALL)

    def patterns(self, field: str) -> tuple[re.Pattern[str], ...]:
        texts = self.texts(field, optional=True)
        return tuple(self._compiled(field, text, re.IGNORECASE) for text in texts)

    def line_pattern(self, field: str, text: str) -> re.Pattern[str]:
        return self._compiled(field, text, re.MULTILINE)

    def table_of_patterns(self, field: str) -> dict[str, re.Pattern[str]]:
        return {
            name: self.line_pattern(f"{field}.{name}", text)
            for name, text in self.mapping(field).items()
        }

    def files(self, field: str, folder: Path) -> tuple[str, ...]:
        names = self.texts(field, optional=True)
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise self.wrong(field, f"has {missing[0]!r}, which is not a file of {folder.name}/")
        return names

    def table(self, field: str) -> _Fields | None:
        if field not in self._values:
            return None
        value = self._value(field, None)
        if not isinstance(value, dict):
            raise self.wrong(field, "is not a table")
        self._inner.append(_Fields(value, f"{self._table}{field}."))
        return self._inner[-1]

    def required_table(self, field: str) -> _Fields:
        if (table := self.table(field)) is None:
            raise self.wrong(field, "is missing")
        return table

    def finish(self) -> None:
        """Reject a field that nothing reads: its name is a mistake."""
        if unknown := sorted(self._values.keys() - self._read):
            raise self.wrong(unknown[0], "is not a field of this file")
        for table in self._inner:
            table.finish()

    def _value(self, field: str, default: object) -> object:
        self._read.add(field)
        if field not in self._values and default is None:
            raise self.wrong(field, "is missing")
        return self._values.get(field, default)

    def _compiled(self, field: str, text: str, flags: re.RegexFlag) -> re.Pattern[str]:
        try:
            return re.compile(text, flags)
        except re.error as error:
            raise self.wrong(field, f"is not a regular expression: {error}") from error


def _language(fields: _Fields, folder: Path) -> Language:
    packages = fields.text("packages")
    if "/" in packages or packages in {".", "..", "source"}:
        raise fields.wrong("packages", "is not the name of one folder beside source")
    name = fields.matching("language", _LANGUAGE, "lower-case letters")
    return Language(
        name=name,
        title=fields.text("title", name),
        versions=fields.all_matching("versions", _VERSION, "numbers with dots in between"),
        folder=folder,
        entrypoint=fields.texts("entrypoint"),
        environment=fields.mapping("environment"),
        server=folder / fields.text("server"),
        packages=packages,
        default_handler=fields.matching("default_handler", _HANDLER, "module.function"),
        recipe=fields.texts("recipe"),
        source_recipe=fields.texts("source_recipe", optional=True),
        aliases=fields.all_matching("aliases", _LANGUAGE, "lower-case letters", optional=True),
        source=_source(fields.table("source")),
        interpreter=_interpreter(fields.table("interpreter"), folder),
        installer=_installer(fields.table("installer")),
        compiler=_compiler(fields.table("compiler")),
        debugger=_debugger(fields.table("debugger"), folder),
        images=_images(fields.table("images"), folder),
    )


def _source(fields: _Fields | None) -> SourceFiles:
    if fields is None:
        return SourceFiles()
    return SourceFiles(
        suffixes=fields.all_matching("suffixes", _SUFFIX, "a suffix with its dot", optional=True),
        markers=fields.texts("markers", optional=True),
        manifest=fields.optional_text("manifest"),
        leftovers=fields.texts("leftovers", optional=True),
        credentials=fields.texts("credentials", optional=True),
    )


def _interpreter(fields: _Fields | None, folder: Path) -> Interpreter | None:
    if fields is None:
        return None
    reply = fields.pattern("reply")
    if "version" not in reply.groupindex:
        raise fields.wrong("reply", "has no group (?P<version>...)")
    return Interpreter(
        probe=fields.texts("probe"),
        reply=reply,
        install=fields.text("install"),
        environment=_environment(fields.table("environment"), folder),
    )


def _environment(fields: _Fields | None, folder: Path) -> Environment | None:
    if fields is None:
        return None
    return Environment(command=fields.texts("command"), inputs=fields.files("inputs", folder))


def _installer(fields: _Fields | None) -> Installer:
    if fields is None:
        return Installer()
    return Installer(
        programs=fields.texts("programs", optional=True),
        install=fields.optional_text("install") or "",
        variables=fields.patterns("variables"),
        settings_files=fields.mapping("settings_files"),
        caches=fields.mapping("caches"),
        inputs=fields.texts("inputs", optional=True) or Installer().inputs,
        requests=fields.table_of_patterns("requests"),
        includes=_includes(fields),
    )


def _includes(fields: _Fields) -> re.Pattern[str] | None:
    text = fields.optional_text("includes")
    if text is None:
        return None
    pattern = fields.line_pattern("includes", text)
    if "file" not in pattern.groupindex:
        raise fields.wrong("includes", "has no group (?P<file>...)")
    return pattern


def _compiler(fields: _Fields | None) -> Compiler | None:
    if fields is None:
        return None
    command = fields.texts("command")
    if "{folder}" not in command:
        raise fields.wrong("command", "has no word {folder}")
    return Compiler(
        command=command, environment=fields.mapping("environment"), output=fields.texts("output")
    )


def _debugger(fields: _Fields | None, folder: Path) -> Debugger | None:
    if fields is None:
        return None
    requirements = fields.optional_text("requirements")
    if requirements is not None and not (folder / requirements).is_dir():
        raise fields.wrong("requirements", f"is not a folder of {folder.name}/")
    return Debugger(
        options=fields.texts("options"),
        waiting=fields.texts("waiting"),
        port=fields.port("port"),
        attach=fields.document("attach"),
        requirements=folder / requirements if requirements else None,
    )


def _images(fields: _Fields | None, folder: Path) -> Images | None:
    if fields is None:
        return None
    official = fields.required_table("official")
    return Images(
        base=_image_part(fields.table("base"), folder),
        builder=_image_part(fields.table("builder"), folder),
        official=OfficialImage(
            repository=official.text("repository"), argument=official.text("argument")
        ),
        lock=fields.optional_text("lock"),
    )


def _image_part(fields: _Fields | None, folder: Path) -> ImagePart:
    if fields is None:
        return ImagePart()
    return ImagePart(
        debian=fields.texts("debian", optional=True),
        program=fields.texts("program", optional=True),
        inputs=fields.files("inputs", folder),
    )
