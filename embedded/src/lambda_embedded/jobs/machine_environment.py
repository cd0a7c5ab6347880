"""The environment that containers inherit from this machine: programs and package indexes."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_builder.recipe import settings_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambda_builder.language import Installer

_PASSED = re.compile(
    r"LANG|LC_ALL|TZ|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(HTTP|HTTPS|ALL|NO)_PROXY",
    re.IGNORECASE,
)


def machine_environment(
    machine: Mapping[str, str], cache: Path, installers: Iterable[Installer]
) -> dict[str, str]:
    """Return the part of `machine` that containers inherit; their caches are below `cache`.

    A container has its own HOME, but uses the installers' settings of the person.
    """
    programs = [str(Path(sys.executable).parent), machine.get("PATH", os.defpath)]
    environment = {"LANG": "C.UTF-8"}
    passed = {name: value for name, value in machine.items() if _PASSED.fullmatch(name)}
    for installer in installers:
        environment |= settings_files(installer, machine)
        passed |= {name: value for name, value in machine.items() if installer.reads(name)}
    return {
        **environment,
        **passed,
        **{name: str(cache / folder) for name, folder in _caches(installers)},
        "PATH": os.pathsep.join(programs),
    }


def caches_of(environment: Mapping[str, str], installers: Iterable[Installer]) -> list[Path]:
    """Return the folders of caches that an environment names.

    They are not the person's own caches, since a build could write to those.
    """
    return [Path(environment[name]) for name, _ in _caches(installers) if name in environment]


def _caches(installers: Iterable[Installer]) -> Iterator[tuple[str, str]]:
    for installer in installers:
        yield from installer.caches.items()
