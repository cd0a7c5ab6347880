"""All images, and the build arguments of each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PYTHON, NODE = "python", "nodejs"


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """Of the interpreters in our own images; `*_digest` pins their images on a registry."""

    python: str = "3.11"
    node: str = "24"
    python_digest: str = ""
    node_digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """One image; `kind` is what `images.contents` calls its contents."""

    name: str
    kind: str
    dockerfile: str
    languages: tuple[str, ...]
    python: str
    node: str

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of the Dockerfile, without digests."""
        arguments = {"FUNCTION": self.name} if self.kind == "function" else {}
        arguments |= {"PYTHON_VERSION": self.python} if PYTHON in self.languages else {}
        return arguments | ({"NODE_VERSION": self.node} if NODE in self.languages else {})


def all_images(checkout: Path, versions: Versions, runtimes: Iterable[str]) -> list[Image]:
    """The control functions, the builder, and the base images of these runtimes."""
    functions = sorted(file.parent.name for file in (checkout / "functions").glob("*/main.py"))
    images = [_image(name, "function", "Dockerfile", (PYTHON,), versions) for name in functions]
    images.append(_image("builder", "builder", "builder/Dockerfile", (PYTHON, NODE), versions))
    return images + [_runtime(checkout, name) for name in runtimes]


def _image(
    name: str, kind: str, dockerfile: str, languages: tuple[str, ...], versions: Versions
) -> Image:
    python, node = versions.python, versions.node
    return Image(
        name=name, kind=kind, dockerfile=dockerfile, languages=languages, python=python, node=node
    )


def _runtime(checkout: Path, name: str) -> Image:
    known = []
    for file in sorted((checkout / "runtimes").glob("*/runtime.toml")):
        definition = tomllib.loads(file.read_text())
        language = definition["language"]
        for version in definition["versions"]:
            if name == f"{language}{version}":
                dockerfile = f"runtimes/{language}/Dockerfile"
                versions = Versions(python=version, node=version)
                return _image(name, language, dockerfile, (language,), versions)
            known.append(f"{language}{version}")
    raise SystemExit(f"RUNTIMES: there is no runtime {name!r}; choose one of {', '.join(known)}")
