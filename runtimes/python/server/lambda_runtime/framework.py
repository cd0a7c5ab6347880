"""What a function finds in functions_framework, of any version 3, and what it registered there.

Never imported for the function: who does not use it shall not pay for it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from lambda_runtime.invocation import is_asynchronous
from lambda_runtime.settings import HTTP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from lambda_runtime.source import Function

_NAME = "functions_framework"
TYPED = "typed"


class Framework:
    """The framework of one function; `flask` is its application once the function imports it."""

    def __init__(self, folder: str) -> None:
        self.flask: Any = None
        self.folder = folder

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """Make it ready in the moment of its import, should that come."""
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            if self in sys.meta_path:
                sys.meta_path.remove(self)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """The protocol of `sys.meta_path`: the moment of the import is all that is looked for."""
        if name != _NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            self._prepare_after(spec)
        return spec

    def _prepare_after(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        execute = loader.exec_module

        def execute_and_prepare(module: ModuleType) -> None:
            execute(module)
            self._prepare(module)

        loader.exec_module = execute_and_prepare

    def _prepare(self, module: Any) -> None:
        from lambda_runtime.wsgi import make_flask  # noqa: PLC0415 - Flask is there by now

        self.flask = make_flask(self.folder, static_folder="static")
        module.errorhandler = self.flask.errorhandler
        # The function's file runs inside of it, as in functions_framework. Threads begin without.
        self.flask.app_context().push()

    def signature_of(self, handler: Any) -> str | None:
        """What it is registered as, if it is."""
        name = getattr(handler, "__name__", None)
        registered: str | None = _registry("REGISTRY_MAP", {}).get(name)
        return registered

    def wants_starlette(self, handler: Any) -> bool:
        """Whether functions_framework.aio registered it, which older versions do not have."""
        return getattr(handler, "__name__", None) in _registry("ASGI_FUNCTIONS", ())

    def adapted(self, function: Function) -> Function:
        """The function as the rest of this package serves it: of a request, or of an event."""
        if function.signature == TYPED:
            input_type = _registry("INPUT_TYPE_MAP", {})[function.handler.__name__]
            view = _typed_view(function.handler, input_type)
            return function._replace(handler=view, signature=HTTP)
        if (
            function.signature == HTTP
            or not function.decorated
            or is_asynchronous(function.handler)
        ):
            return function
        from lambda_runtime.wsgi import with_error_handlers  # noqa: PLC0415 - Flask is there

        return function._replace(handler=with_error_handlers(self.flask, function.handler))


def _typed_view(handler: Callable[[Any], Any], input_type: Any) -> Callable[[Any], Any]:
    from flask import jsonify  # noqa: PLC0415 - loaded already

    def view(request: Any) -> Any:
        result = handler(input_type.from_dict(request.get_json()))
        if result is None:
            return ""
        return result if type(result).__module__ == "builtins" else jsonify(result.to_dict())

    return view


def _registry(name: str, default: Any) -> Any:
    return getattr(sys.modules.get(f"{_NAME}._function_registry"), name, default)
