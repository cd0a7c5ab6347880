"""All images, and the build arguments of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_builder.errors import BuildError
from lambda_builder.language import ImagePart
from lambda_builder.runtime import Runtime, find_runtime, own_language, read_languages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_builder.language import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """Of the interpreters in our own images, and of Node.js in the builder."""

    python: str = "3.11"
    node: str = "24"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """One image; `kind` is what `images.contents` calls its contents."""

    name: str
    kind: str
    dockerfile: str
    runtimes: tuple[Runtime, ...]
    """The interpreter that it is for; in the builder then those that recipes run."""

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of the Dockerfile, without digests."""
        arguments = {"FUNCTION": self.name} if self.kind == "function" else {}
        for runtime in self.runtimes:
            if (images := runtime.language.images) is not None:
                arguments[f"{images.official.argument}_VERSION"] = runtime.version
        return arguments


def all_images(checkout: Path, versions: Versions, runtimes: Iterable[str]) -> list[Image]:
    """The control functions, the builder, and the base images of these runtimes."""
    folder = checkout / "runtimes"
    languages = read_languages(folder)
    ours = [Runtime(language=own, version=versions.python) for own in _own(languages)]
    tools = [
        Runtime(language=language, version=_version_in_builder(language, versions))
        for language in languages
        if language.images is not None and language.images.builder != ImagePart()
    ]
    functions = sorted(file.parent.name for file in (checkout / "functions").glob("*/main.py"))
    images = [_image(name, "function", "Dockerfile", ours) for name in functions]
    images.append(_image("builder", "builder", "builder/Dockerfile", [*ours, *tools]))
    return images + [_base_image(folder, name) for name in runtimes]


def _own(languages: Iterable[Language]) -> Iterable[Language]:
    if (language := own_language(languages)) is None:
        raise SystemExit("runtimes/ does not have the language of our own images")
    yield language


def _version_in_builder(language: Language, versions: Versions) -> str:
    return versions.node if language.name == "nodejs" else language.versions[-1]


def _image(name: str, kind: str, dockerfile: str, runtimes: Iterable[Runtime]) -> Image:
    return Image(name=name, kind=kind, dockerfile=dockerfile, runtimes=tuple(runtimes))


def _base_image(runtimes: Path, name: str) -> Image:
    try:
        runtime = find_runtime(name, runtimes)
    except BuildError as error:
        raise SystemExit(f"RUNTIMES: {error.message}") from None
    language = runtime.language.name
    return _image(name, language, f"runtimes/{language}/Dockerfile", [runtime])
