"""Start, limits and end of both runtimes' servers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


@pytest.mark.parametrize("path", ["/health/liveness", "/health/readiness"])
def test_health_is_served_beside_the_function(function: Functions, path: str) -> None:
    assert function("describe").request("GET", path).status == 200


def test_a_call_past_its_time_is_504_and_logged(function: Functions) -> None:
    process = function("slow", FUNCTION_TIMEOUT_SECONDS="0.3")
    begin = time.monotonic()
    answer = process.send({"seconds": 5})
    assert (answer.status, answer.json()["reason"]) == (504, "FunctionTimeout")
    assert time.monotonic() - begin < 3
    process.wait_for_log("did not finish within 0.3 s")
    assert process.send({"seconds": 0}).status == 200


def _times(process: FunctionProcess, calls: int) -> list[list[float]]:
    with ThreadPoolExecutor(calls) as callers:
        answers = list(callers.map(lambda _: process.send(), range(calls)))
    return sorted(answer.json() for answer in answers)


def test_no_more_calls_at_once_than_the_function_allows(function: Functions) -> None:
    times = _times(function("times", FUNCTION_CONCURRENCY="1"), 3)
    # One clock tick of grace: Node's is in milliseconds.
    assert all(later[0] >= earlier[1] - 0.002 for earlier, later in pairwise(times))


def test_as_many_calls_at_once_as_the_function_allows(function: Functions) -> None:
    times = _times(function("times", FUNCTION_CONCURRENCY="3"), 3)
    assert max(begin for begin, _ in times) < min(end for _, end in times)


PYTHON_SLOW = """
import asyncio
async def handler(event):
    print("begun", flush=True)
    await asyncio.sleep(1)
    return "finished"
"""
NODE_SLOW = """
exports.handler = async () => {
  console.log("begun");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return "finished";
};
"""


def _slow(language: str) -> tuple[dict[str, str], str]:
    if language == "python":
        return {"main.py": PYTHON_SLOW}, "main.handler"
    return {"index.js": NODE_SLOW}, "index.handler"


def test_sigterm_lets_a_call_under_way_finish(start: Functions, language: str) -> None:
    process = start(*_slow(language))
    process.wait_until_ready()
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(process.send)
        process.wait_for_log("begun")
        assert process.stop() == 0
        assert answer.result().json() == "finished"


def test_sigterm_ends_an_idle_function_at_once(start: Functions, language: str) -> None:
    process = start(*_slow(language))
    process.wait_until_ready()
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 2


def _last_line(process: FunctionProcess) -> str:
    assert process.ended() == 1
    return process.log.splitlines()[-1]


def test_a_handler_that_is_not_there_ends_the_start(start: Functions, language: str) -> None:
    if language == "python":
        process = start({"main.py": "def greet(event): ...\ndef other(event): ..."}, "main.handler")
        expected = 'main.py has no function "handler" (it defines: greet, other)'
    else:
        process = start({"index.js": "exports.greet = () => 1; exports.n = 5;"}, "index.handler")
        expected = 'index.js has no function "handler" (it exports: greet)'
    assert _last_line(process) == f"HandlerNotFound: {expected}"


def test_a_file_that_is_not_there_ends_the_start(start: Functions, language: str) -> None:
    name = "app.py" if language == "python" else "app.js"
    ours = {"__pycache__/app.cpython-311.pyc": ""} if language == "python" else {}
    process = start({name: "", **ours}, "missing.handler")
    expected = f"there is no missing{name[3:]} in the source (it contains: {name})"
    assert _last_line(process) == f"HandlerNotFound: {expected}"


def test_a_syntax_error_is_shown_as_the_language_shows_it(start: Functions, language: str) -> None:
    if language == "python":
        process = start({"main.py": "def handler(event:\n"}, "main.handler")
        assert _last_line(process).startswith("SourceNotImportable: main: SyntaxError")
        assert 'main.py", line 1' in process.log
    else:
        process = start({"index.js": "exports.handler = (event => {\n"}, "index.handler")
        assert _last_line(process).startswith("SourceNotImportable: index.js: SyntaxError")


def test_a_missing_package_is_named_with_the_way_out(start: Functions, language: str) -> None:
    if language == "python":
        process = start({"main.py": "import no_such_package"}, "main.handler")
        package_file = "requirements.txt"
    else:
        process = start({"index.js": "require('no_such_package')"}, "index.handler")
        package_file = "package.json"
    last_line = _last_line(process)
    assert "no_such_package" in last_line
    assert last_line.endswith(f"(name its package in {package_file})")


@pytest.mark.parametrize("variable", ["PORT", "FUNCTION_TIMEOUT_SECONDS", "FUNCTION_CONCURRENCY"])
def test_a_setting_that_is_no_number_is_named(
    start: Functions, language: str, variable: str
) -> None:
    process = start(*_slow(language), **{variable: "many"})
    expected = f'InvalidSettings: {variable} is "many"; it must be a number'
    assert _last_line(process).startswith(expected)


def test_an_unknown_signature_is_refused(start: Functions, language: str) -> None:
    process = start(*_slow(language), FUNCTION_SIGNATURE="grpc")
    assert _last_line(process).startswith('InvalidSettings: FUNCTION_SIGNATURE is "grpc"')
