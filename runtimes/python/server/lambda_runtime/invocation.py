"""Calling handlers under the function's limits of time and concurrency."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Protocol

from lambda_runtime.errors import HandlerExitError, HandlerTimeoutError, RejectedRequestError
from lambda_runtime.threads import HandlerThreads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambda_runtime.settings import Settings


class Invoker(Protocol):
    """Calls one handler, never more often at once than the function allows."""

    @property
    def healthy(self) -> bool:
        """Whether calls can still get through."""
        ...

    async def __call__(self, *arguments: Any) -> Any:
        """The handler's result; 504 once its time is over."""
        ...


def invoker_of(handler: Callable[..., Any], settings: Settings) -> Invoker:
    """The event loop for coroutine functions, threads for all others."""
    if is_asynchronous(handler):
        return AsyncInvoker(handler, settings)
    return ThreadInvoker(handler, settings)


def is_asynchronous(handler: Any) -> bool:
    """Whether calling it gives a coroutine, also through a decorator that kept its name."""
    function = inspect.unwrap(handler)
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isfunction(function) and inspect.iscoroutinefunction(
        getattr(function, "__call__", None),  # noqa: B004 - the method is asked what kind it is
    )


class AsyncInvoker:
    """Awaits a coroutine function, and cancels it when its time is over."""

    healthy = True

    def __init__(self, handler: Callable[..., Awaitable[Any]], settings: Settings) -> None:
        self._handler = handler
        self._timeout_seconds = settings.timeout_seconds
        self._slots = asyncio.Semaphore(settings.concurrency)

    async def __call__(self, *arguments: Any) -> Any:
        """See Invoker."""
        deadline = asyncio.timeout(self._timeout_seconds)
        try:
            async with deadline, self._slots:
                return await self._handler(*arguments)
        except TimeoutError:
            if deadline.expired():
                raise timed_out(self._timeout_seconds) from None
            raise
        except SystemExit as error:
            raise HandlerExitError("the handler raised SystemExit") from error


class ThreadInvoker:
    """Runs a blocking function in threads."""

    def __init__(self, handler: Callable[[Any], Any], settings: Settings) -> None:
        self._threads = HandlerThreads(handler, settings.concurrency)
        self._settings = settings
        self._timeout_seconds = settings.timeout_seconds

    @property
    def healthy(self) -> bool:
        """False once as many calls hang as the function may run at once."""
        return self._threads.stuck < self._threads.size

    async def __call__(self, *arguments: Any) -> Any:
        """See Invoker."""
        try:
            result = await self._threads.run(arguments[0], self._timeout_seconds)
        except HandlerTimeoutError:
            raise timed_out(self._timeout_seconds) from None
        if inspect.isawaitable(result):
            return await self._finish(result)
        return result

    async def _finish(self, result: Awaitable[Any]) -> Any:
        return await AsyncInvoker(lambda: result, self._settings)()


def timed_out(timeout_seconds: float) -> RejectedRequestError:
    """The response to a request whose handler took too long."""
    message = f"the function did not finish within {timeout_seconds:g} s"
    return RejectedRequestError(504, "FunctionTimeout", message)
