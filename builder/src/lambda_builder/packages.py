"""`python -I -m lambda_builder.packages` is all that a build Job runs.

It fetches the files that ask for packages, has the recipes of the runtime install them, and leaves
one archive. Its secrets are URLs of storage and the index's credentials: no other process of the
same user can read its memory or its environment, and none that the recipes started is left when it
packs and sends.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from lambda_builder.compilation import compile_folder
from lambda_builder.download import download
from lambda_builder.kernel import hide_memory
from lambda_builder.program import run_program, say
from lambda_builder.recipe import clear, run_recipes
from lambda_builder.runtime import find_runtime
from lambda_builder.settings import ContextSettings, InstallSettings, ResultSettings
from lambda_builder.upload import too_large, upload
from lambda_builder.workspace import Workspace
from lambda_oci import archive
from lambda_oci.errors import ContentError
from lambda_oci.folders import remove
from lambda_oci.layer import write_archive

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.settings import Environment

_SHOWN_AS_MB = 100_000


def main(environment: Environment) -> dict[str, object]:
    """Build as the environment says; the termination message of a success."""
    context = ContextSettings.read(environment)
    settings = InstallSettings.read(environment)
    result = ResultSettings.read(environment)
    workspace = Workspace(settings.workspace)
    _fetch(context, workspace)
    runtime = find_runtime(settings.runtime, settings.runtimes_dir)
    packages = workspace.root / runtime.language.packages
    deadline = time.monotonic() + settings.timeout_seconds
    clear(workspace, packages)
    try:
        is_pinned = run_recipes(settings, runtime, packages)
        # Compiling and packing take minutes where packages are large, and print nothing.
        if has_packages := _is_filled(packages):
            say("Packing what was installed")
        compile_folder(
            packages,
            runtime,
            installed_at=f"/function/{packages.name}",
            timeout_seconds=max(1.0, deadline - time.monotonic()),
        )
        _pack(workspace, packages, result)
        if has_packages:
            say(f"Sending {_size(workspace.result)} of packages")
        upload(workspace.result, result)
    finally:
        remove(workspace.scratch)
        remove(workspace.result)
    return {"pinned": is_pinned}


def _fetch(context: ContextSettings, workspace: Workspace) -> None:
    """Unpack the context, or leave nothing of it."""
    remove(workspace.source)
    limits = archive.Limits(
        max_bytes=context.source_max_bytes, max_entries=context.source_max_files
    )
    try:
        download(context, workspace.context)
        archive.unpack(workspace.context, workspace.source, limits)
    finally:
        remove(workspace.context)


def _pack(workspace: Workspace, packages: Path, result: ResultSettings) -> None:
    """Pack the packages and their lock; nothing, where no package was installed."""
    contents = []
    if _is_filled(packages):
        contents.append((packages.name, packages))
        # Code of others could reach it, too.
        if workspace.lock.is_file() and not workspace.lock.is_symlink():
            contents.append((workspace.lock.name, workspace.lock))
    try:
        write_archive(contents, workspace.result, max_bytes=result.max_bytes)
    except ContentError as error:
        raise too_large(result) if error.reason == "ArchiveTooLarge" else error from None


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= _SHOWN_AS_MB else f"{size / 1e3:.0f} kB"


def _is_filled(folder: Path) -> bool:
    """Whether it is a folder with anything in it, and no link, which code of others could leave."""
    return folder.is_dir() and not folder.is_symlink() and any(folder.iterdir())


if __name__ == "__main__":
    hide_memory()
    sys.exit(run_program(main))
