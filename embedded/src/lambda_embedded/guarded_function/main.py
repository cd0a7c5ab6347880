"""A control function that serves only the platform, by a credential that nobody else has.

functions-framework runs this file; it runs the function's own `main.py`.
"""

from __future__ import annotations

import hmac
import os
from importlib.util import module_from_spec, spec_from_file_location
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from lambda_embedded.guarded_function import CREDENTIAL, FUNCTION, HEADER

if TYPE_CHECKING:
    from flask import Request
    from starlette.requests import Request as AsgiRequest

_HEALTH = ("/health/liveness", "/health/readiness")
_REJECTION = b'{"reason": "Unauthorized", "message": "the platform alone calls this function"}'


def _function(main: str) -> Any:  # noqa: ANN401  # as functions-framework takes it
    spec = spec_from_file_location("main", main)
    if spec is None or spec.loader is None:
        raise ImportError(f"{main} is not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handle


# From the launcher, for this file alone; the function reads its own settings.
_expected = os.environ.pop(CREDENTIAL).encode()  # noqa: TID251
_serve = _function(os.environ[FUNCTION])  # noqa: TID251


def _is_let_in(path: str, credential: str | None) -> bool:
    given = (credential or "").encode("utf-8", "surrogateescape")
    return path in _HEALTH or hmac.compare_digest(given, _expected)


def _guard_wsgi(request: Request) -> Any:  # noqa: ANN401  # as functions-framework takes it
    if _is_let_in(request.path, request.headers.get(HEADER)):
        return _serve(request)
    return _REJECTION, 401, {"Content-Type": "application/json"}


async def _guard_asgi(request: AsgiRequest) -> Any:  # noqa: ANN401  # as functions-framework takes it
    if _is_let_in(request.url.path, request.headers.get(HEADER)):
        return await _serve(request)
    # Functions of the other sort start without it.
    from starlette.responses import Response  # noqa: PLC0415

    return Response(_REJECTION, 401, media_type="application/json")


handle = _guard_asgi if iscoroutinefunction(_serve) else _guard_wsgi
"""Passes a request on, or rejects it with 401."""
