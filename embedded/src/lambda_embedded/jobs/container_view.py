"""What a container of a Job needs to see of this machine's file system."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lambda_embedded.jobs.machine_environment import caches_of
from lambda_embedded.processes.programs import (
    places_named_by,
    places_of_builder,
    places_of_network,
)
from lambda_sandbox.isolation import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lambda_builder.language import Installer
    from lambda_embedded.jobs.volumes import PodFolder

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_WRITTEN_TO = "IMAGE_REPOSITORY_URL"


def view_of(
    container: Mapping[str, Any],
    folder: PodFolder,
    environment: Mapping[str, str],
    *,
    machine: Mapping[str, str],
    installed: Iterable[Path],
    opened: Sequence[Path],
    installers: Sequence[Installer],
) -> View:
    """Return its volumes, the programs of a build, and what `machine` and its own URLs name.

    It may write to its volumes, to the caches of `machine`, and to the image repository, whose
    folder is created. Its URLs may only name places below the folders `opened`, since whoever
    creates a Job chooses them.
    """
    urls = {name: place for name, place in _folders(environment) if _is_below(place, opened)}
    written = caches_of(machine, installers)
    if _WRITTEN_TO in urls:
        written.append(urls.pop(_WRITTEN_TO))
    programs = [program for installer in installers for program in installer.programs]
    for place in written:
        place.mkdir(parents=True, exist_ok=True)
    return View(
        readable=(
            *places_of_builder(machine, programs),
            *places_of_network(),
            *places_named_by(machine),
            *installed,
            *urls.values(),
        ),
        writable=(
            folder.temporary_folder,
            *folder.places(container).values(),
            *written,
        ),
    )


def _is_below(place: Path, folders: Sequence[Path]) -> bool:
    real = place.resolve()
    return any(real.is_relative_to(folder.resolve()) for folder in folders)


def _folders(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for name, value in environment.items():
        if value.startswith("file:///"):
            folder = _DIGEST.sub("", urlsplit(value).path)
            yield name, Path(unquote(folder))
