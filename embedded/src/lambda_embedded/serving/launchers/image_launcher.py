"""Runs images of lambdas from the OCI layouts of the data folder."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Any

from lambda_builder.runtime import RUNTIME_LABEL
from lambda_embedded.processes.programs import places_of_program
from lambda_embedded.serving.launchers.launcher import Command, LaunchError, first_container
from lambda_oci.errors import OciError
from lambda_oci.unpack import unpack_image
from lambda_sandbox.isolation import View
from lambda_sandbox.removal import remove_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from lambda_oci.unpack import ImageConfig

_NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_REFERENCE = re.compile(
    rf"registry\.embedded/(?P<repository>{_NAME}/{_NAME})@sha256:(?P<hex>[0-9a-f]{{64}})"
)
_RUNTIME_NAME = re.compile(r"[a-z0-9.]+")
_SERVER = "/runtime/"
# Looking through all images takes longer the more there are, so it is then done less often.
_CALLS_PER_IMAGE = 0.01


class ImageLauncher:
    """For images `registry.embedded/<namespace>/<name>@sha256:...`; unpacks each digest once."""

    def __init__(self, *, data_folder: Path, search_path: str) -> None:
        self._registry = data_folder / "registry"
        self._images = data_folder / "images"
        self._runtimes = data_folder / "runtimes"
        self._search_path = search_path
        # Nothing may be removed while an image is being unpacked: images share their layers.
        self._idle = asyncio.Condition()
        self._unpacking = 0
        self._used = 0
        self._calls = 0

    def accepts(self, template: Mapping[str, Any]) -> bool:
        """Return whether the image is in the embedded registry."""
        return _reference(template) is not None

    async def prepare(self, namespace: str, name: str, template: Mapping[str, Any]) -> Command:
        """Return the command of the image, with its runtime first on the PATH."""
        del namespace, name
        container = first_container(template)
        match = _reference(template)
        if match is None:
            raise LaunchError(f"image {container.get('image')!r} must be named by digest")
        root = self._images / match["hex"]
        config = await self._unpack(match["repository"], match["hex"], root)
        command = container.get("command") or config.entrypoint
        arguments = [*command, *(container.get("args") or [])]
        if not arguments:
            raise LaunchError(f"image {container['image']} has no entrypoint")
        programs = self._programs(config)
        path = [str(folder) for folder in programs] + [self._search_path]
        return Command(
            arguments=[_below(root, argument) for argument in arguments],
            environment={
                "FUNCTION_ROOT": str(root / "function"),
                "PATH": os.pathsep.join(path),
            },
            image_environment=config.env,
            working_directory=_working_directory(root, config),
            view=View(readable=(root, *_places(programs))),
        )

    async def collect(self, templates: Callable[[], AsyncIterator[Mapping[str, Any]]]) -> None:
        """Remove unpacked images, and their layers, that no template names.

        Not every call looks: up to one image for a hundred in use may be left over meanwhile.
        """
        self._calls += 1
        if self._calls < self._used * _CALLS_PER_IMAGE:
            return
        self._calls = 0
        async with self._idle:
            await self._idle.wait_for(lambda: not self._unpacking)
            references = [_reference(template) async for template in templates()]
            used = {match["hex"] for match in references if match is not None}
            await asyncio.to_thread(self._remove_unused, used)
            self._used = len(used)

    async def _unpack(self, repository: str, hexadecimal: str, root: Path) -> ImageConfig:
        url = (self._registry / repository).as_uri()
        async with self._idle:
            self._unpacking += 1
        try:
            return await asyncio.to_thread(unpack_image, url, f"sha256:{hexadecimal}", root)
        except (OciError, OSError) as error:
            raise LaunchError(f"the image cannot be unpacked: {error}") from error
        finally:
            self._unpacking -= 1
            async with self._idle:
                self._idle.notify_all()

    def _programs(self, config: ImageConfig) -> list[Path]:
        """Return the folder of the runtime's own programs, if it has one."""
        runtime = config.labels.get(RUNTIME_LABEL, "")
        known = _RUNTIME_NAME.fullmatch(runtime)
        return [self._runtimes / runtime / "bin"] if known else []

    def _remove_unused(self, used: set[str]) -> None:
        if not self._images.is_dir():
            return
        for folder in self._images.iterdir():
            if not folder.name.startswith(".") and folder.name not in used:
                remove_folder(folder)
        for layer in (self._images / ".layers").glob("*"):
            if not _has_shared_files(layer):
                remove_folder(layer)


def _reference(template: Mapping[str, Any]) -> re.Match[str] | None:
    containers = (template.get("spec") or {}).get("containers") or [{}]
    return _REFERENCE.fullmatch(containers[0].get("image") or "")


def _places(programs: Iterable[Path]) -> Iterator[Path]:
    for folder in programs:
        yield folder.parent
        for program in folder.glob("*"):
            if program.is_symlink():
                yield from places_of_program(program)


def _below(root: Path, argument: str) -> str:
    return f"{root}{argument}" if argument.startswith(_SERVER) else argument


def _working_directory(root: Path, config: ImageConfig) -> Path:
    folder = (root / config.working_dir.lstrip("/")).resolve()
    return folder if folder.is_dir() and folder.is_relative_to(root.resolve()) else root


def _has_shared_files(layer: Path) -> bool:
    """Return whether an image still links to a layer's files."""
    return any(path.lstat().st_nlink > 1 for path in layer.rglob("*") if not path.is_dir())
