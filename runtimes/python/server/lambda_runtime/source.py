"""Finding the handler in the user's source."""

from __future__ import annotations

import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_runtime.errors import StartupError
from lambda_runtime.framework import TYPED, Framework
from lambda_runtime.handler_file import find_handler_file, import_handler_file
from lambda_runtime.responses import user_traceback
from lambda_runtime.settings import CLOUDEVENT, HTTP
from lambda_runtime.shapes import reject_uncallable

if TYPE_CHECKING:
    from types import ModuleType

    from lambda_runtime.handler_file import HandlerFile
    from lambda_runtime.settings import Settings


class Function(NamedTuple):
    """A handler and how it wants to be called."""

    handler: Any
    signature: str
    # As its author calls it, and where its file is.
    name: str
    file: str
    folder: str
    # Registered with functions_framework: gets what that gives its functions.
    decorated: bool = False
    starlette: bool = False
    # The Flask application of functions_framework, where the source imports that.
    flask: Any = None


def load_function(settings: Settings) -> Function:
    """Import the handler, in its folder; `StartupError` says what is missing and what is there."""
    module_name, _, name = settings.handler.rpartition(".")
    if not module_name or not name.isidentifier():
        message = f'the handler is "{settings.handler}"; write it as file.function'
        raise StartupError("InvalidHandler", message)
    folders = _source_folders(settings)
    file = find_handler_file(module_name, folders)
    framework = Framework(os.path.dirname(file.path or f"{file.folder}/-"))  # noqa: PTH120
    os.chdir(settings.source_folder)
    # The first entry is the folder of server.py, which is nobody else's business.
    del sys.path[0]
    module = _import(file, [*folders, settings.packages_folder], framework, settings)
    return _function_of(module, name, file, framework, settings)


def _source_folders(settings: Settings) -> list[str]:
    source = settings.source_folder
    # pathlib costs start time.
    if not os.path.isdir(source):  # noqa: PTH112
        message = f"there is no folder {source} (FUNCTION_ROOT)"
        raise StartupError("SourceNotFound", message)
    # The layout of a project whose packages are in src.
    if os.path.isfile(f"{source}/pyproject.toml") and os.path.isdir(f"{source}/src"):  # noqa: PTH112, PTH113
        return [source, f"{source}/src"]
    return [source]


def _import(
    file: HandlerFile, folders: list[str], framework: Framework, settings: Settings
) -> ModuleType:
    module_name = settings.handler.rpartition(".")[0]
    try:
        with framework.awaited():
            module = import_handler_file(file, folders)
    except BaseException as error:  # noqa: BLE001 - whatever the user's module raises
        raise not_importable(module_name, error, settings) from None
    if module is None:
        raise _no_such_file(file, settings)
    return module


def not_importable(subject: str, error: BaseException, settings: Settings) -> StartupError:
    """The error of an import as the reason not to start, with advice where there is some."""
    said = f"{type(error).__name__}: {_said(error)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        from lambda_runtime.missing_module import way_out  # noqa: PLC0415 - seldom needed

        said = f"{_said(error)} ({way_out(error.name, settings.source_folder)})"
    traceback = user_traceback(_without_import_machinery(error))
    return StartupError("SourceNotImportable", f"{subject}: {said}", traceback=traceback)


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001 - its own code runs here
        return f"(its text raised {type(another).__name__})"


def _no_such_file(file: HandlerFile, settings: Settings) -> StartupError:
    from lambda_runtime.missing_module import find_in_source  # noqa: PLC0415 - seldom needed

    elsewhere = find_in_source(settings.source_folder, (f"{'/'.join(file.parts)}.py",))
    if elsewhere is not None:
        name = settings.handler.rpartition(".")[2]
        handler = f"{elsewhere.removesuffix('.py').replace('/', '.')}.{name}"
        message = (
            f"there is no {file.name} in the source; for {elsewhere} use the handler {handler}"
        )
        return StartupError("HandlerNotFound", message)
    names = sorted(os.listdir(settings.source_folder))  # noqa: PTH208 - pathlib costs start time
    files = ", ".join([name for name in names if name != "__pycache__"][:20])
    message = f"there is no {file.name} in the source (it contains: {files or 'nothing'})"
    return StartupError("HandlerNotFound", message)


def _function_of(
    module: ModuleType, name: str, file: HandlerFile, framework: Framework, settings: Settings
) -> Function:
    handler = getattr(module, name, None)
    if handler is None:
        defined = ", ".join(_functions_of(module)) or "none"
        message = f'{file.name} has no function "{name}" (it defines: {defined})'
        raise StartupError("HandlerNotFound", message)
    if not callable(handler):
        message = f'"{name}" of {file.name} is a {type(handler).__name__}, not a function'
        raise StartupError("HandlerNotCallable", message)
    registered = framework.signature_of(handler)
    if registered not in (None, CLOUDEVENT, HTTP, TYPED):
        message = f'"{name}" is registered with functions_framework as "{registered}"'
        raise StartupError("UnsupportedSignature", f"{message}; use cloud_event, http or typed")
    function = Function(
        handler=handler,
        signature=registered or settings.signature,
        name=name,
        file=file.name,
        folder=framework.folder,
        decorated=registered is not None,
        starlette=framework.wants_starlette(handler),
        flask=framework.flask,
    )
    reject_uncallable(function)
    return framework.adapted(function)


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
