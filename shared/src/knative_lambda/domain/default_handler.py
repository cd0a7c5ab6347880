"""The handler of a source for which nobody named one, where its package's manifest names a file."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from knative_lambda.domain.language import Language

_MANIFEST_BYTES = 1024 * 1024
# Linux takes 4096, less the folder of the source; a name has its suffix besides.
_PATH_BYTES = 1024
_NAME_BYTES = 255
# An image has no file of such a name: it would remove another.
_WHITEOUT = ".wh."


class SourceFiles(Protocol):
    """The files of a source, by their paths in it."""

    def has(self, path: str) -> bool:
        """Whether this is a file."""
        ...

    def read(self, path: str, *, max_bytes: int) -> bytes | None:
        """The start of a regular file; None for anything else."""
        ...


def default_handler(files: SourceFiles, language: Language) -> str | None:
    """Return the handler in the file that a manifest names as `main`; None: the runtime's own.

    The runtime's own default takes precedence if its file exists.
    """
    module, _, function = language.default_handler.rpartition(".")
    if language.manifest is None or _has_module(files, module, language):
        return None
    content = files.read(language.manifest, max_bytes=_MANIFEST_BYTES) or b""
    main = _module(files, _main_of(content), module, language)
    return f"{main}.{function}" if main else None


def _main_of(manifest: bytes) -> object:
    try:
        document = json.loads(manifest)
    except (ValueError, RecursionError):
        return None
    return document.get("main") if isinstance(document, dict) else None


def _module(
    files: SourceFiles, named: object, default_module: str, language: Language
) -> str | None:
    """The module that is meant; the start, which looks for it, reports whether it exists."""
    if not isinstance(named, str) or not named.isprintable():
        return None
    path = posixpath.normpath(named)
    if path.startswith(("/", "..")) or path == "." or not _can_be_in_an_image(path, language):
        return None
    stem, ending = posixpath.splitext(path)
    for module in (path, f"{path}/{default_module}"):
        if _has_module(files, module, language):
            return module
    return stem if ending in language.suffixes else path if not ending else None


def _can_be_in_an_image(path: str, language: Language) -> bool:
    longest = _NAME_BYTES - max(map(len, language.suffixes), default=0)
    return len(path.encode()) <= _PATH_BYTES and not any(
        name.startswith(_WHITEOUT) or len(name.encode()) > longest for name in path.split("/")
    )


def _has_module(files: SourceFiles, module: str, language: Language) -> bool:
    return any(files.has(f"{module}{suffix}") for suffix in language.suffixes)
