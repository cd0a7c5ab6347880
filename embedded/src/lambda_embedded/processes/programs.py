"""Where programs and their files are, which may be below a user's home."""

from __future__ import annotations

import os
import shutil
import site
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import knative_lambda
import lambda_builder
import lambda_oci
from lambda_sandbox.isolation.mounts import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_RESOLVER = Path("/etc/resolv.conf")
# All programs of a user share them, and they hold much that is not theirs, such as credentials.
_SHARED_PREFIXES = {".local", ".cargo"}


def places_of_program(program: Path) -> Iterator[Path]:
    """Yield the program and, where it lies in a folder `bin`, the installation around that."""
    yield program
    _, real = follow(program)
    prefix = real.parent.parent
    if real.parent.name == "bin":
        yield prefix / "lib"
        if prefix.name not in _SHARED_PREFIXES:
            yield prefix


def places_of_builder(machine: Mapping[str, str], programs: Iterable[str] = ()) -> Iterator[Path]:
    """Yield what runs a build: our own interpreter, its packages, and `programs` of recipes."""
    yield Path(sys.prefix)
    yield from places_of_program(Path(sys.executable))
    # An installation may refer to a checkout, or to the user's own site-packages.
    for package in (lambda_builder, lambda_oci, knative_lambda):
        yield Path(package.__file__ or "").parents[1]
    if site.ENABLE_USER_SITE:
        yield Path(site.getusersitepackages())
    for name in programs:
        if found := shutil.which(name, path=program_path(machine)):
            yield from places_of_program(Path(found))


def program_path(machine: Mapping[str, str]) -> str:
    """Where recipes find their programs: beside our interpreter, on PATH, among the person's."""
    return os.pathsep.join(
        (
            str(Path(sys.executable).parent),
            machine.get("PATH", os.defpath),
            sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")),
        )
    )


def places_of_network() -> Iterator[Path]:
    """Yield what resolves host names: the folder too, since the file is replaced now and then."""
    yield _RESOLVER
    _, real = follow(_RESOLVER)
    yield real.parent


def places_named_by(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the values that are paths, such as those of certificates and settings files."""
    for value in variables.values():
        if value.startswith("/"):
            yield Path(value)
