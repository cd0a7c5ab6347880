"""The handler of a source for which nobody named one, where its package's manifest names a file."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lambda_builder.foreign_json import read_json_object
from lambda_oci.whiteouts import WHITEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_builder.language import Language, SourceFiles

_MANIFEST_BYTES = 1024 * 1024
# Linux takes 4096, less the folder of the source; a name has its suffix besides.
_PATH_BYTES = 1024
_NAME_BYTES = 255


def default_handler(source: Path, language: Language) -> str | None:
    """The handler in the file that a manifest names as `main`; None leaves it to the runtime.

    The runtime's own default takes precedence if its file exists.
    """
    function = language.default_handler.rpartition(".")[2]
    files = language.source
    if files.manifest is None or _file_of(source, language.default_module, files) is not None:
        return None
    manifest = read_json_object(source / files.manifest, max_bytes=_MANIFEST_BYTES) or {}
    main = _module(source, manifest.get("main"), language)
    return f"{main}.{function}" if main else None


def _module(source: Path, named: object, language: Language) -> str | None:
    """The module that is meant; the start, which looks for it, reports whether it exists."""
    files = language.source
    if not isinstance(named, str) or not named.isprintable():
        return None
    path = posixpath.normpath(named)
    if path.startswith(("/", "..")) or path == "." or not _can_be_in_an_image(path, files):
        return None
    stem, ending = posixpath.splitext(path)
    for module in (path, f"{path}/{language.default_module}"):
        if _file_of(source, module, files) is not None:
            return module
    return stem if ending in files.suffixes else path if not ending else None


def _can_be_in_an_image(path: str, files: SourceFiles) -> bool:
    longest = _NAME_BYTES - max(map(len, files.suffixes), default=0)
    return len(path.encode()) <= _PATH_BYTES and not any(
        name.startswith(WHITEOUT) or len(name.encode()) > longest for name in path.split("/")
    )


def _file_of(source: Path, module: str, files: SourceFiles) -> Path | None:
    candidates = (source / f"{module}{suffix}" for suffix in files.suffixes)
    return next((file for file in candidates if file.is_file()), None)
