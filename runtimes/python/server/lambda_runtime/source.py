"""Finding the handler in the user's source."""

from __future__ import annotations

import importlib
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_runtime.errors import StartupError
from lambda_runtime.responses import print_user_traceback
from lambda_runtime.settings import CLOUDEVENT, HTTP

if TYPE_CHECKING:
    from types import ModuleType

    from lambda_runtime.settings import Settings


class Function(NamedTuple):
    """A handler and how it wants to be called."""

    handler: Any
    signature: str
    # Registered with functions_framework: gets what that gives its functions.
    decorated: bool


def enter_source(settings: Settings) -> None:
    """Make the user's files and packages importable before anything else; start in their folder."""
    if not os.path.isdir(settings.source_folder):  # noqa: PTH112 - pathlib costs start time
        message = f"there is no folder {settings.source_folder} (FUNCTION_ROOT)"
        raise StartupError("SourceNotFound", message)
    # The first entry is the folder of server.py, which is nobody else's business.
    sys.path[:1] = [settings.source_folder, settings.packages_folder]
    os.chdir(settings.source_folder)


def load_function(settings: Settings) -> Function:
    """Import the handler; `StartupError` says what is missing and what is there."""
    module_name, _, name = settings.handler.rpartition(".")
    if not module_name or not name.isidentifier():
        message = f'the handler is "{settings.handler}"; write it as file.function'
        raise StartupError("InvalidHandler", message)
    module = _import_module(module_name, settings.source_folder)
    handler = getattr(module, name, None)
    file = module_name.replace(".", "/") + ".py"
    if handler is None:
        defined = ", ".join(_functions_of(module)) or "none"
        message = f'{file} has no function "{name}" (it defines: {defined})'
        raise StartupError("HandlerNotFound", message)
    if not callable(handler):
        message = f'"{name}" of {file} is a {type(handler).__name__}, not a function'
        raise StartupError("HandlerNotCallable", message)
    registered = _registered_signature(handler, name)
    return Function(handler, registered or settings.signature, registered is not None)


def _import_module(module_name: str, source_folder: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and _is_part_of(error.name, module_name):
            names = sorted(os.listdir(source_folder))  # noqa: PTH208 - as above
            files = ", ".join([name for name in names if name != "__pycache__"][:20])
            file = module_name.replace(".", "/") + ".py"
            message = f"there is no {file} in the source (it holds: {files or 'nothing'})"
            raise StartupError("HandlerNotFound", message) from None
        print_user_traceback(_without_import_machinery(error))
        message = f"{module_name}: {error} (name its package in requirements.txt)"
        raise StartupError("SourceNotImportable", message) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's module raises
        print_user_traceback(_without_import_machinery(error))
        message = f"{module_name}: {type(error).__name__}: {error}"
        raise StartupError("SourceNotImportable", message) from None


def _is_part_of(missing: str, module_name: str) -> bool:
    return module_name == missing or module_name.startswith(missing + ".")


def _without_import_machinery(error: BaseException) -> BaseException:
    frames = error.__traceback__
    while frames is not None and (
        frames.tb_frame.f_globals.get("__package__") == __package__
        or "importlib" in frames.tb_frame.f_code.co_filename
    ):
        frames = frames.tb_next
    return error.with_traceback(frames)


def _functions_of(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]


def _registered_signature(handler: Any, name: str) -> str | None:
    # Never imported here: a function that is registered has imported it itself.
    registry = sys.modules.get("functions_framework._function_registry")
    if registry is None:
        return None
    registered: str | None = registry.REGISTRY_MAP.get(getattr(handler, "__name__", name))
    if registered is None or registered in (CLOUDEVENT, HTTP):
        return registered
    message = (
        f'"{name}" has the functions_framework signature "{registered}"; use cloud_event or http'
    )
    raise StartupError("UnsupportedSignature", message)
