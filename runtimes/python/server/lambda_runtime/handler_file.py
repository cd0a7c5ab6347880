"""The handler's file, and the module that it becomes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_runtime.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

# pathlib costs start time, so paths are text here.


class HandlerFile(NamedTuple):
    """Where the module `app.events` is: the file app.events.py, or else app/events.py.

    `path` is None where the module is no file of the source, but perhaps of its packages.
    """

    name: str
    parts: list[str]
    folder: str
    path: str | None
    # Its name has dots, so that no `import` finds it.
    dotted: bool


def find_handler_file(module_name: str, folders: Sequence[str]) -> HandlerFile:
    """The first in the folders; `StartupError` for what can be no module's name."""
    parts = module_name.replace("/", ".").split(".")
    if not all(parts):
        message = f'the handler is in "{module_name}"; write it as file.function'
        raise StartupError("InvalidHandler", message)
    path, literal = "/".join(parts), f"{module_name}.py"
    for name in (literal, f"{path}/__init__.py", f"{path}.py"):
        for folder in folders:
            if os.path.isfile(f"{folder}/{name}"):  # noqa: PTH113
                dotted = name == literal and module_name != path
                return HandlerFile(name, parts, folder, f"{folder}/{name}", dotted)
    wanted = " or ".join(dict.fromkeys([literal, f"{path}.py"]))
    return HandlerFile(wanted, parts, folders[0], None, dotted=False)


def import_handler_file(file: HandlerFile, folders: Sequence[str]) -> ModuleType | None:
    """The module, with the folders before all that is importable so far; None where none is."""
    others = [*folders, *sys.path]
    top, *rest = file.parts
    if file.path is None:
        sys.path[:0] = folders
        return _import_if_there(file.parts, folders)
    if file.dotted:
        sys.path[:0] = folders
        return _load(f"function_{'_'.join(file.parts)}", file.path)
    if not _belongs_to_another(top, f"{file.folder}/{top}"):
        sys.path[:0] = folders
        return importlib.import_module(".".join(file.parts))
    # calendar.py: who imports `calendar`, in that file too, means the other one.
    others.remove(file.folder)
    sys.meta_path.insert(sys.meta_path.index(PathFinder), _Elsewhere(top, others))
    sys.path[:0] = folders
    module = _load(f"function_{top}", _path_of(f"{file.folder}/{top}"))
    return importlib.import_module(".".join([module.__name__, *rest]))


def _import_if_there(parts: Sequence[str], folders: Sequence[str]) -> ModuleType | None:
    name = ".".join(parts)
    # Not the library's, which is there under any name.
    if PathFinder.find_spec(parts[0], list(folders)) is None:
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _belongs_to_another(top: str, base: str) -> bool:
    # A package's own modules import it by its name: it hides what is not imported yet.
    is_package = os.path.isfile(f"{base}/__init__.py")  # noqa: PTH113
    return top in sys.modules or (not is_package and importlib.util.find_spec(top) is not None)


class _Elsewhere:
    """Finds one module in other folders than that of the handler's file of the same name."""

    def __init__(self, name: str, folders: Sequence[str]) -> None:
        self._name = name
        self._folders = list(folders)

    def find_spec(self, name: str, path: object = None, target: Any = None) -> ModuleSpec | None:
        """The protocol of `sys.meta_path`."""
        if name != self._name or path is not None:
            return None
        return PathFinder.find_spec(name, self._folders, target)


def _path_of(base: str) -> str:
    candidates = (f"{base}/__init__.py", f"{base}.py")
    return next((path for path in candidates if os.path.isfile(path)), base)  # noqa: PTH113


def _load(name: str, path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        # A folder without __init__.py.
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [path]
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    if spec.loader is not None:
        spec.loader.exec_module(module)
    return module
