"""A language as its `runtimes/<language>/runtime.toml` describes it.

The fields are those of docs/BUILD_AND_RUNTIME.md, "Contract of a runtime".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SOURCES = "{sources}"
_VERSION = "{version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFiles:
    """What the files of a source say about it; patterns are those of .gitignore."""

    suffixes: tuple[str, ...] = ()
    """Of files that hold code, such as `.py`."""
    markers: tuple[str, ...] = ()
    """A folder that holds one of these files is a source of this language."""
    manifest: str | None = None
    """A JSON file whose `main` names the file of the default handler."""
    leftovers: tuple[str, ...] = ()
    """What tools leave beside a source, which is never deployed."""
    credentials: tuple[str, ...] = ()
    """Files in which tools keep credentials, which are deployed only on request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The program that prepares an interpreter of a machine for the runtime's server."""

    command: tuple[str, ...]
    inputs: tuple[str, ...]
    """Files of the runtime's folder; another content makes another environment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """How to find an interpreter on a machine, and to make it ready."""

    probe: tuple[str, ...]
    """The command that asks it for its version; `{version}` stands for the one looked for."""
    reply: re.Pattern[str]
    """What it says: the group `version`, and where it says so `exact` (all of it otherwise) and
    `program` (where PATH leads otherwise)."""
    install: str
    """What a person does to have one."""
    environment: Environment | None = None
    """None: the interpreter serves as it is."""

    def probe_of(self, version: str) -> tuple[str, ...]:
        """The command for one version."""
        return tuple(word.replace(_VERSION, version) for word in self.probe)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installer:
    """What a recipe uses from the machine on which it runs."""

    programs: tuple[str, ...] = ()
    """Programs on PATH."""
    install: str = ""
    """What a person does to have them."""
    variables: tuple[re.Pattern[str], ...] = ()
    """Variables that lead it to its package index."""
    settings_files: Mapping[str, str] = field(default_factory=dict)
    """Variable -> the file that it names when it is absent, below the person's home."""
    caches: Mapping[str, str] = field(default_factory=dict)
    """Variable -> folder of a cache that builds on one machine share."""
    inputs: tuple[str, ...] = ("*",)
    """What the recipe reads of a source, as patterns of .gitignore: other files change nothing."""

    requests: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Name of a file at the root of a source (fnmatch) -> what is in one that may ask for packages.

    A match too many costs a Job that finds nothing to install; one too few would lose packages.
    Without any, the recipe gets the whole source, and every change of it is a Job."""
    includes: re.Pattern[str] | None = None
    """What names another file that the recipe reads, as the group `file`."""

    def reads(self, variable: str) -> bool:
        """Whether this variable reaches the recipe."""
        return any(pattern.fullmatch(variable) for pattern in self.variables)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiler:
    """How sources are compiled ahead of the first start."""

    command: tuple[str, ...]
    """`{version}`, `{folder}` and `{installed_at}` stand for what they say.

    `{sources}`, where it is there, stands for the paths in the folder that are to be compiled.
    """
    environment: Mapping[str, str]
    output: tuple[str, ...]
    """Names of the files and folders that it leaves beside the sources."""

    @property
    def takes_sources(self) -> bool:
        """Whether it can be told to compile a part of a folder."""
        return _SOURCES in self.command

    def program(self, version: str) -> str:
        """The first word of the command."""
        return self.command[0].replace(_VERSION, version)

    def options(
        self, version: str, folder: Path, installed_at: str, *, sources: Sequence[str]
    ) -> list[str]:
        """The words behind it, which compile these sources as if the folder were installed."""
        words: dict[str, Sequence[str]] = {
            "{folder}": [str(folder)],
            "{installed_at}": [installed_at],
            _SOURCES: sources,
        }
        return [
            part
            for word in self.command[1:]
            for part in words.get(word, [word.replace(_VERSION, version)])
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Debugger:
    """How the server starts so that a debugger can attach.

    `{port}` is the debugger's port on 127.0.0.1, `{packages}` the folder of its packages,
    `{source}` that of the source as the server sees it, and `{folder}` the author's own.
    """

    options: tuple[str, ...]
    """Words behind the first one of the entrypoint."""
    waiting: tuple[str, ...]
    """The same, for a start that waits until a debugger attaches."""
    port: int
    """On which people expect it."""
    attach: Mapping[str, object]
    """What an editor needs to attach: a configuration of VS Code's launch.json."""
    requirements: Path | None = None
    """A source whose packages the recipe installs for the debugger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePart:
    """What an image that is made without Docker holds of a language."""

    debian: tuple[str, ...] = ()
    """Packages of Debian, which come with all that they need; `{version}` as above."""
    program: tuple[str, ...] = ()
    """Adds the rest to the folder `ROOT`, which mirrors `/`."""
    inputs: tuple[str, ...] = ()
    """Files of the runtime's folder; another content makes another layer."""

    def debian_of(self, version: str) -> tuple[str, ...]:
        """The packages for one version."""
        return tuple(name.replace(_VERSION, version) for name in self.debian)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficialImage:
    """The image from which the Dockerfile starts."""

    repository: str
    argument: str
    """The Dockerfile's arguments are `<argument>_VERSION` and `<argument>_DIGEST`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """What images for a cluster hold of a language, besides its folder."""

    base: ImagePart
    """The interpreter, in the base image of its functions."""
    builder: ImagePart
    """What recipes run, in the builder."""
    official: OfficialImage
    lock: str | None = None
    """File with the packages of the server, which are Python's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """All that the platform knows about a language."""

    name: str
    title: str
    """As people write it."""
    versions: tuple[str, ...]
    folder: Path
    entrypoint: tuple[str, ...]
    environment: Mapping[str, str]
    """Variables that the server has besides those of its contract."""
    server: Path
    packages: str
    default_handler: str
    recipe: tuple[str, ...]
    """Downloads and installs packages, and runs nothing of theirs."""
    source_recipe: tuple[str, ...] = ()
    """Builds what the recipe left to be built; without any, nothing is built."""
    aliases: tuple[str, ...] = ()
    """Other names that a person may type."""
    source: SourceFiles = SourceFiles()
    interpreter: Interpreter | None = None
    installer: Installer = Installer()
    compiler: Compiler | None = None
    debugger: Debugger | None = None
    images: Images | None = None

    @property
    def default_module(self) -> str:
        """The handler of a source that names none."""
        return self.default_handler.rpartition(".")[0]

    @property
    def compiled(self) -> tuple[str, ...]:
        """Names of what its compiler leaves beside sources."""
        return self.compiler.output if self.compiler else ()
