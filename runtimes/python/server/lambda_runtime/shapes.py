"""What a handler takes, and whether it can be given that."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NoReturn

from lambda_runtime.errors import StartupError
from lambda_runtime.invocation import is_asynchronous
from lambda_runtime.settings import CLOUDEVENT

if TYPE_CHECKING:
    from lambda_runtime.source import Function

    Parameters = list[inspect.Parameter]

FLASK = "flask"
STARLETTE = "starlette"
WSGI = "wsgi"
ASGI = "asgi"

_APPLICATIONS = {2: WSGI, 3: ASGI}
_OF_APPLICATIONS = {"start_response", "receive"}


def http_shape(function: Function) -> str:
    """How to call a handler of HTTP requests."""
    if function.starlette:
        return STARLETTE
    if not function.decorated:
        parameters = _parameters(function.handler)
        if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters or ()):
            # A decorator, perhaps: then what it decorates says more.
            parameters = _parameters(function.handler, decorated=True)
        shape = _APPLICATIONS.get(len(_required(parameters or [])))
        if shape is not None:
            return shape
    return STARLETTE if is_asynchronous(function.handler) else FLASK


def reject_uncallable(function: Function) -> None:
    """`StartupError` for a handler that would fail at every call, whatever came."""
    handler = function.handler
    if function.decorated:
        # What functions_framework puts around a function takes anything, and passes it on.
        handler = getattr(handler, "__wrapped__", handler)
    if inspect.isclass(handler) and not _is_class_of_responses(function):
        _reject(function, "is a class that makes no responses; name a function or an object")
    asynchronous = is_asynchronous(handler)
    if function.signature == CLOUDEVENT:
        names = {parameter.name for parameter in _parameters(handler) or []}
        hint = "; an application needs the signature http" if names & _OF_APPLICATIONS else ""
        _reject_unless(function, handler, (1,), f"the event{hint}")
        _reject_generators(function, handler, asynchronous_only=False)
        return
    numbers: tuple[int, ...] = (1,)
    gets = "the request"
    if not function.decorated and asynchronous:
        numbers, gets = (1, 3), "the request (3: an ASGI application)"
    elif not function.decorated:
        numbers, gets = (1, 2, 3), "the request (2: a WSGI application, 3: an ASGI application)"
    _reject_unless(function, handler, numbers, gets)
    if not function.decorated:
        _reject_events(function)
    # Flask sends what a generator yields.
    _reject_generators(function, handler, asynchronous_only=not function.starlette)


def _reject_unless(function: Function, handler: Any, numbers: tuple[int, ...], gets: str) -> None:
    parameters = _parameters(handler)
    if parameters is None or any(_can_take(parameters, number) for number in numbers):
        return
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    number = len(_required(parameters))
    if named:
        takes = f'needs the keyword argument "{named[0]}"'
    else:
        takes = f"takes {number or 'no'} argument{'' if number == 1 else 's'}"
    _reject(function, f"{takes} and gets one, {gets}")


def _is_class_of_responses(function: Function) -> bool:
    """Whether a call makes what WSGI iterates over, or what ASGI awaits."""
    handler = function.handler
    if function.signature == CLOUDEVENT or function.decorated:
        return False
    return hasattr(handler, {WSGI: "__iter__", ASGI: "__await__"}.get(http_shape(function), "-"))


def _reject_events(function: Function) -> None:
    # Others may call the arguments of WSGI and ASGI what they like, but not so.
    names = [parameter.name for parameter in _required(_parameters(function.handler) or [])]
    if len(names) in _APPLICATIONS and (names[0] == "event" or names[1] == "context"):
        _reject(function, f"takes ({', '.join(names)}) and gets one, the request")


def _reject_generators(function: Function, handler: Any, *, asynchronous_only: bool) -> None:
    if inspect.isasyncgenfunction(handler) or (
        inspect.isgeneratorfunction(handler) and not asynchronous_only
    ):
        _reject(function, "yields, but must return its response")


def _reject(function: Function, problem: str) -> NoReturn:
    raise StartupError("InvalidHandler", f"{function.file}: {function.name} {problem}")


def _can_take(parameters: Parameters, number: int) -> bool:
    try:
        inspect.Signature(parameters).bind(*range(number))
    except TypeError:
        return False
    return True


def _required(parameters: Parameters) -> Parameters:
    return [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def _parameters(handler: Any, *, decorated: bool = False) -> Parameters | None:
    # A decorator may take less than what it decorates; of some callables Python cannot tell.
    try:
        signature = inspect.signature(handler, follow_wrapped=decorated)
    except (TypeError, ValueError):
        return None
    return list(signature.parameters.values())
