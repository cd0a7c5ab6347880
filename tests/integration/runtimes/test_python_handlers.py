"""Handlers that can be called are; those that never can be are refused at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.function_process import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.runtimes.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


def last_line(process: FunctionProcess) -> str:
    assert process.ended() == 1
    return process.log.splitlines()[-1]


REFUSED = {
    "two": (
        "def handler(event, context): ...",
        "handler takes 2 arguments and gets one, the event",
    ),
    "async two": (
        "async def handler(event, context): ...",
        "handler takes 2 arguments and gets one, the event",
    ),
    "none": ("def handler(): ...", "handler takes no arguments and gets one, the event"),
    "keyword": (
        "def handler(event, *, context): ...",
        'handler needs the keyword argument "context" and gets one, the event',
    ),
    "keyword only": (
        "def handler(*, event): ...",
        'handler needs the keyword argument "event" and gets one, the event',
    ),
    "lambda": ("handler = lambda a, b, c: 1", "handler takes 3 arguments and gets one, the event"),
    "object": (
        "class H:\n  def __call__(self, event, context): ...\nhandler = H()",
        "handler takes 2 arguments and gets one, the event",
    ),
    "partial": (
        "import functools\nhandler = functools.partial(lambda a, b, c: 1, 1)",
        "handler takes 2 arguments and gets one, the event",
    ),
    "decorated": (
        (
            "import functions_framework\n"
            "@functions_framework.cloud_event\ndef handler(event, context): ..."
        ),
        "handler takes 2 arguments and gets one, the event",
    ),
    "decorated http": (
        "import functions_framework\n@functions_framework.http\ndef handler(a, b): ...",
        "handler takes 2 arguments and gets one, the request",
    ),
    "decorated aio": (
        "import functions_framework.aio\n@functions_framework.aio.http\nasync def handler(): ...",
        "handler takes no arguments and gets one, the request",
    ),
    "generator": (
        "def handler(event):\n  yield 1",
        "handler yields, and has to return its answer",
    ),
    "async generator": (
        "async def handler(event):\n  yield 1",
        "handler yields, and has to return its answer",
    ),
}
REFUSED_HTTP = {
    "four": (
        "def handler(a, b, c, d): ...",
        (
            "handler takes 4 arguments and gets one, the request"
            " (2: a WSGI application, 3: an ASGI application)"
        ),
    ),
    "none": (
        "def handler(): ...",
        (
            "handler takes no arguments and gets one, the request"
            " (2: a WSGI application, 3: an ASGI application)"
        ),
    ),
    "async two": (
        "async def handler(a, b): ...",
        "handler takes 2 arguments and gets one, the request (3: an ASGI application)",
    ),
    "async generator": (
        "async def handler(request):\n  yield 1",
        "handler yields, and has to return its answer",
    ),
}


@pytest.mark.parametrize(
    ("signature", "source", "said"),
    [
        *(pytest.param("cloudevent", *case, id=name) for name, case in REFUSED.items()),
        *(pytest.param("http", *case, id=f"http {n}") for n, case in REFUSED_HTTP.items()),
    ],
)
def test_a_handler_that_can_never_be_called_is_refused(
    start_python: Functions, signature: str, source: str, said: str
) -> None:
    process = start_python({"main.py": source}, "main.handler", FUNCTION_SIGNATURE=signature)
    assert last_line(process) == f"InvalidHandler: main.py: {said}"


TAKEN = {
    "default": "def handler(event, context=None): return 'ok'",
    "any": "def handler(*arguments, **named): return 'ok'",
    "keyword default": "def handler(event, *, context=None): return 'ok'",
    "method": "class H:\n  def on(self, event): return 'ok'\nhandler = H().on",
    "object": "class H:\n  async def __call__(self, event): return 'ok'\nhandler = H()",
    "partial": "import functools\nhandler = functools.partial(lambda a, b: 'ok', 1)",
    "builtin": "handler = [].append",
    # A decorator that gives the rest by itself.
    "injected": "import functools\ndef inject(function):\n  @functools.wraps(function)\n"
    "  def call(event): return function(event, 'ok')\n  return call\n"
    "@inject\ndef handler(event, database): return database",
    "injected into any": "import functools\ndef inject(function):\n  @functools.wraps(function)\n"
    "  def call(*arguments): return function(*arguments, 'ok')\n  return call\n"
    "@inject\ndef handler(event, database): return database",
    "decorated and injected": "import functools, functions_framework\ndef inject(function):\n"
    "  @functools.wraps(function)\n  def call(event): return function(event, 'ok')\n"
    "  return call\n@functions_framework.cloud_event\n@inject\n"
    "def handler(event, database): return database",
}


@pytest.mark.parametrize("source", TAKEN.values(), ids=TAKEN)
def test_a_handler_that_can_be_called_is_taken(start_python: Functions, source: str) -> None:
    process = start_python({"main.py": source}, "main.handler")
    process.wait_until_ready()
    assert process.send().status in (200, 204)


def test_an_http_handler_may_be_given_the_rest_by_a_decorator(start_python: Functions) -> None:
    process = start_python(
        {"main.py": TAKEN["injected"]}, "main.handler", FUNCTION_SIGNATURE="http"
    )
    process.wait_until_ready()
    assert process.request("GET").body == b"ok"


SAYS_TIME = """
def handler(event):
    return [event.get("time"), "time" in event.get_attributes()]
"""
SAYS_TIME_2 = """
from cloudevents.core.v1.event import CloudEvent
def handler(event):
    return [event.get_time() and event.get_time().isoformat(), "time" in event.get_attributes()]
"""


@pytest.mark.parametrize("structured", [False, True])
def test_an_event_without_a_time_has_none_for_the_handler(
    start_python: Functions, structured: bool
) -> None:
    process = start_python({"main.py": SAYS_TIME}, "main.handler")
    process.wait_until_ready()

    def said(**attributes: str) -> object:
        if not structured:
            return process.send(**attributes).json()
        return process.send_structured({**ATTRIBUTES, **attributes}).json()

    assert said() == [None, False]
    assert said(time="2026-01-02T03:04:05Z") == ["2026-01-02T03:04:05Z", True]


def test_nor_with_the_cloudevents_sdk_2(
    start_python: Functions, python_packages: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "packages").symlink_to(python_packages("cloudevents==2.0.0"))
    process = start_python({"main.py": SAYS_TIME_2}, "main.handler")
    process.wait_until_ready()
    assert process.send().json() == [None, False]
    answer = process.send(time="2026-01-02T03:04:05Z")
    assert answer.json() == ["2026-01-02T03:04:05+00:00", True]


def test_nor_for_a_function_of_functions_framework(start_python: Functions) -> None:
    source = "import functions_framework\n@functions_framework.cloud_event" + SAYS_TIME
    process = start_python({"main.py": source}, "main.handler")
    process.wait_until_ready()
    assert process.send().json() == [None, False]
