"""Errors of Node.js functions that no promise catches end their call, not the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

STRAY = {
    "a timer": "setTimeout(() => { throw new Error('stray'); }, 1);",
    "a tick": "process.nextTick(() => { throw new Error('stray'); });",
    "a callback": "require('fs').readFile(__filename, () => { throw new Error('stray'); });",
    "an emitter": "setImmediate(() => require('events').prototype.emit('error', Error('stray')));",
    "a promise": "setTimeout(() => Promise.reject(new Error('stray')), 1);",
}


@pytest.mark.parametrize("stray", STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("signature", ["cloudevent", "http"])
def test_a_stray_error_is_500_and_others_are_served(
    start_node: Functions, signature: str, stray: str
) -> None:
    source = f"exports.handler = (first, second) => {{ {stray} }};"
    process = start_node({"index.js": source}, "index.handler", FUNCTION_SIGNATURE=signature)
    process.wait_until_ready()
    for _ in range(2):
        answer = process.send({})
        assert (answer.status, answer.json()["reason"]) == (500, "HandlerFailed")
    process.wait_for_log("stray")


def test_one_after_the_end_of_its_call_is_logged_and_frees_its_place(start_node: Functions) -> None:
    source = """
    exports.handler = (event, done) =>
      event.data ? done(null, 1) : setTimeout(() => { throw new Error("stray"); }, 300);
    """
    settings = {"FUNCTION_TIMEOUT_SECONDS": "0.1", "FUNCTION_CONCURRENCY": "1"}
    process = start_node({"index.js": source}, "index.handler", **settings)
    process.wait_until_ready()
    assert process.send().status == 504
    process.wait_for_log("an error after the end of its call: Error: stray")
    assert process.send(1).json() == 1


def test_an_answer_that_comes_too_late_ends_nothing(start_node: Functions) -> None:
    source = """
    exports.handler = (request, response) =>
      setTimeout(() => response.json(1), request.url === "/late" ? 300 : 0);
    """
    settings = {"FUNCTION_SIGNATURE": "http", "FUNCTION_TIMEOUT_SECONDS": "0.1"}
    process = start_node({"index.js": source}, "index.handler", **settings)
    process.wait_until_ready()
    assert process.request("GET", "/late").status == 504
    process.wait_for_log("an error after the end of its call: ")
    assert process.request("GET", "/").json() == 1


def test_an_error_of_no_call_ends_the_process(start_node: Functions) -> None:
    source = "setTimeout(() => { throw new Error('of its own'); }, 300); exports.handler = () => 1;"
    process = start_node({"index.js": source}, "index.handler")
    assert process.ended() == 1
    assert "of its own" in process.log
