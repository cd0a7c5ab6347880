"""Handlers that can be called are; those that never can be are refused at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.helpers.function_process import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

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
    "class": (
        "class handler:\n  def __init__(self, event): ...",
        "handler is a class that makes no responses; name a function or an object",
    ),
    "class with call": (
        "class handler:\n  def __call__(self, event): ...",
        "handler is a class that makes no responses; name a function or an object",
    ),
    "generator": (
        "def handler(event):\n  yield 1",
        "handler yields, but must return its response",
    ),
    "async generator": (
        "async def handler(event):\n  yield 1",
        "handler yields, but must return its response",
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
    "class": (
        "class handler:\n  def __init__(self, request): ...",
        "handler is a class that makes no responses; name a function or an object",
    ),
    "class of two": (
        "class handler:\n  def __init__(self, environ, start_response): ...",
        "handler is a class that makes no responses; name a function or an object",
    ),
    "class of three": (
        "class handler:\n  def __init__(self, scope, receive, send): ...",
        "handler is a class that makes no responses; name a function or an object",
    ),
    "decorated class": (
        (
            "import functions_framework\n"
            "@functions_framework.http\nclass handler:\n  def __init__(self, request): ..."
        ),
        "handler is a class that makes no responses; name a function or an object",
    ),
    "event of two": (
        "def handler(event, context): ...",
        "handler takes (event, context) and gets one, the request",
    ),
    "event of three": (
        "def handler(event, context, callback): ...",
        "handler takes (event, context, callback) and gets one, the request",
    ),
    "async generator": (
        "async def handler(request):\n  yield 1",
        "handler yields, but must return its response",
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


APPLICATIONS = {
    "wsgi class": "class handler:\n  def __init__(self, environ, start_response):\n"
    "    start_response('200 OK', [])\n  def __iter__(self): return iter([b'ok'])\n",
    "asgi class": "from starlette.endpoints import HTTPEndpoint\n"
    "from starlette.responses import PlainTextResponse\nclass handler(HTTPEndpoint):\n"
    "  async def get(self, request): return PlainTextResponse('ok')\n",
    "asgi of a function that awaits nothing": "async def answer(send):\n"
    "  await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
    "  await send({'type': 'http.response.body', 'body': b'ok'})\n"
    "def handler(a, b, c): return answer(c)\n",
    "wsgi by other names": "def handler(env, begin):\n  begin('200 OK', [])\n  return [b'ok']",
}


@pytest.mark.parametrize("source", APPLICATIONS.values(), ids=APPLICATIONS)
def test_an_application_of_any_form_is_taken(start_python: Functions, source: str) -> None:
    process = start_python({"main.py": source}, "main.handler", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    assert process.request("GET").body == b"ok"


HEADS = """
from starlette.responses import Response
def wsgi(environ, start_response):
    name, _, value = environ["QUERY_STRING"].partition("=")
    status = value if name == "status" else "200 OK"
    value = value.replace("%0d", "\\r").replace("%0a", "\\n")
    start_response(status, [] if name == "status" else [(name, value)])
    return [b"0123456789"]

async def asgi(scope, receive, send):
    name, _, value = scope["query_string"].partition(b"=")
    status = int(value) if name == b"status" else 200
    value = value.replace(b"%0d", b"\\r").replace(b"%0a", b"\\n")
    await send({"type": "http.response.start", "status": status, "headers": [(name, value)]})
    await send({"type": "http.response.body", "body": b"0123456789"})

async def starlette(request):
    [(name, value)] = request.query_params.items()
    return Response(b"0123456789", int(value) if name == "status" else 200, {name: value})
"""


@pytest.mark.parametrize("name", ["wsgi", "asgi", "starlette"])
def test_a_head_that_is_none_is_answered_with_500(start_python: Functions, name: str) -> None:
    process = start_python({"main.py": HEADS}, f"main.{name}", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    heads = ("x=a%0d%0ab:c", "x=a%0ab", "a:b=c", "content-length=-5", "content-length=1_0")
    for head in (*heads, "content-length=0x10", "status=7", "status=1000"):
        assert process.request("GET", f"/?{head}").json()["reason"] == "HandlerFailed", head
    assert process.request("GET", "/?content-length=10").body == b"0123456789"


def test_an_application_that_gets_events_is_told_the_signature_that_it_needs(
    start_python: Functions,
) -> None:
    source = "from flask import Flask\n\napp = Flask(__name__)\n"
    process = start_python({"main.py": source}, "main.app")
    assert process.ended() == 1
    assert process.log.splitlines()[-1] == (
        "InvalidHandler: main.py: app takes 2 arguments and gets one, the event; "
        "an application needs the signature http"
    )
