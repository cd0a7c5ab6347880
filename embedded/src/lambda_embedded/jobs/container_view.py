"""What a container of a Job needs to see of this machine's file system."""

from __future__ import annotations

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

    It may write to its volumes, to the caches of `machine`, and where it leaves its result. Its
    URLs may only name places below the folders `opened`, since whoever creates a Job chooses them.
    """
    named = [place for place in _places(environment) if _is_below(place, opened)]
    written = caches_of(machine, installers)
    programs = [program for installer in installers for program in installer.programs]
    for place in written:
        place.mkdir(parents=True, exist_ok=True)
    return View(
        readable=(
            *places_of_builder(machine, programs),
            *places_of_network(),
            *places_named_by(machine),
            *installed,
            *named,
        ),
        writable=(
            folder.temporary_folder,
            folder.result_folder,
            *folder.places(container).values(),
            *written,
        ),
    )


def _is_below(place: Path, folders: Sequence[Path]) -> bool:
    real = place.resolve()
    return any(real.is_relative_to(folder.resolve()) for folder in folders)


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    for value in environment.values():
        if value.startswith("file:///"):
            yield Path(unquote(urlsplit(value).path))
