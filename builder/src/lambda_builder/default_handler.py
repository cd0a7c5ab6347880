"""The handler of a source for which nobody named one, where its package's manifest names a file."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lambda_builder.foreign_json import read_json_object
from lambda_oci.whiteouts import WHITEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.runtime import MainFile, Runtime

_MANIFEST_BYTES = 1024 * 1024
# Linux takes 4096 and 255, less the folder of the source and the ending that is added here.
_PATH_BYTES = 1024
_NAME_BYTES = 255 - len(".mjs")


def default_handler(source: Path, runtime: Runtime) -> str | None:
    """`src/app.handler` for a manifest whose `main` is `src/app.js`; None leaves it to the runtime.

    The runtime's own default goes before it where its file is there.
    """
    module, _, function = runtime.default_handler.rpartition(".")
    if runtime.main is None or _file_of(source, module, runtime.main) is not None:
        return None
    manifest = read_json_object(source / runtime.main.manifest, max_bytes=_MANIFEST_BYTES) or {}
    main = _module(source, manifest.get("main"), runtime.main)
    return f"{main}.{function}" if main else None


def _module(source: Path, named: object, main: MainFile) -> str | None:
    """The module that is meant; whether it is there is told by the start that looks for it."""
    if not isinstance(named, str) or not named.isprintable():
        return None
    path = posixpath.normpath(named)
    if path.startswith(("/", "..")) or path == "." or not _can_be_in_an_image(path):
        return None
    stem, ending = posixpath.splitext(path)
    for module in (path, f"{path}/index"):
        if _file_of(source, module, main) is not None:
            return module
    return stem if ending in main.extensions else path if not ending else None


def _can_be_in_an_image(path: str) -> bool:
    return len(path.encode()) <= _PATH_BYTES and not any(
        name.startswith(WHITEOUT) or len(name.encode()) > _NAME_BYTES for name in path.split("/")
    )


def _file_of(source: Path, module: str, main: MainFile) -> Path | None:
    files = (source / f"{module}{extension}" for extension in main.extensions)
    return next((file for file in files if file.is_file()), None)
