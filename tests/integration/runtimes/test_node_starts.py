"""Which Node.js functions start, how they are called, and what is said of those that do not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]


def _refusal(start: Functions, files: dict[str, str], handler: str, **settings: str) -> str:
    process = start(files, handler, **settings)
    assert process.ended() == 1
    return process.log.splitlines()[-1]


@pytest.mark.parametrize("signature", ["cloudevent", "http"])
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "exports.handler = class Handler {};",
            (
                'InvalidHandler: "handler" of index.js is a class, '
                "which is not called but made with new; export a function"
            ),
        ),
        (
            "exports.handler = function* () {};",
            (
                'InvalidHandler: "handler" of index.js is a generator, '
                "of which a call runs nothing; leave out the *"
            ),
        ),
        (
            "exports.handler = async function* () {};",
            (
                'InvalidHandler: "handler" of index.js is a generator, '
                "of which a call runs nothing; leave out the *"
            ),
        ),
        (
            "exports.handler = 42;",
            'HandlerNotCallable: "handler" of index.js is a number, not a function',
        ),
        (
            "class Koa {}; exports.handler = new Koa();",
            'HandlerNotCallable: "handler" of index.js is a Koa, not a function',
        ),
        (
            "exports.handler = Object.create(null);",
            'HandlerNotCallable: "handler" of index.js is a Object, not a function',
        ),
        (
            "exports.handler = null; exports.greet = () => 1;",
            'HandlerNotFound: index.js has no function "handler" (it exports: greet)',
        ),
    ],
    ids=["class", "generator", "async generator", "number", "instance", "bare object", "null"],
)
def test_what_no_call_can_ever_run_is_refused(
    start_node: Functions, source: str, expected: str, signature: str
) -> None:
    settings = {"FUNCTION_SIGNATURE": signature}
    assert _refusal(start_node, {"index.js": source}, "index.handler", **settings) == expected


def _reply(start: Functions, handler: str, **files: str) -> Any:
    process = start({"index.js": f"exports.handler = {handler};", **files}, "index.handler")
    process.wait_until_ready()
    return process.send({"a": 1}).json()


@pytest.mark.parametrize(
    "handler",
    [
        "async (event, context) => event.data",
        "(event, context) => Promise.resolve(event.data)",
        "(event, unused) => ({ then: (resolve) => resolve(event.data) })",
        "async (event, context, callback) => event.data",
        "async (event, context, callback, extra) => extra === undefined && event.data",
        "(event, context, done, one, two) => Promise.resolve(two === undefined && event.data)",
        "(event, context, done, extra) => done(null, event.data)",
        "async (event, callback) => callback(null, event.data)",
        "(event, context, callback) => callback(null, event.data)",
        "(event, { type }, done) => setTimeout(() => done(type ? null : 'none', event.data), 5)",
        "function (event) { return arguments.length === 1 && event.data }",
        "(...all) => all[0].data",
        "(event, optional = 1) => optional === 1 && event.data",
    ],
)
def test_a_promise_or_a_callback_ends_the_call_whatever_the_parameters(
    start_node: Functions, handler: str
) -> None:
    assert _reply(start_node, handler) == {"a": 1}


def test_parameters_beyond_next_are_undefined(start_node: Functions) -> None:
    source = "exports.handler = (req, res, next, extra) => res.json([extra === undefined]);"
    process = start_node({"index.js": source}, "index.handler", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    assert process.request("GET").json() == [True]


@pytest.mark.parametrize(
    "handler",
    [
        "async (event, context) => { throw new Error('at once'); }",
        "(event, context) => Promise.reject(new Error('at once'))",
        "(event, callback) => callback(new Error('at once'))",
        "(event, context, callback) => { throw new Error('at once'); }",
    ],
)
def test_what_fails_is_500_whatever_the_parameters(start_node: Functions, handler: str) -> None:
    process = start_node({"index.js": f"exports.handler = {handler};"}, "index.handler")
    process.wait_until_ready()
    assert process.send().status == 500
    process.wait_for_log("at once")


def test_the_context_holds_the_attributes_of_the_event(start_node: Functions) -> None:
    handler = "(event, context, callback) => callback(null, [context])"
    [context] = _reply(start_node, handler)
    assert context == {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/tests",
        "type": "com.example.tested",
        "datacontenttype": "application/json",
    }


def test_an_event_without_a_time_has_none(start_node: Functions) -> None:
    handler = "(event) => ['time' in event, event.time === undefined]"
    assert _reply(start_node, handler) == [False, True]


@pytest.mark.parametrize(
    ("file", "handler"),
    [
        ("my.function.js", "my.function.handler"),
        ("my.function.mjs", "my.function.handler"),
        ("src/my.function.js", "src/my.function.handler"),
        ("src/app.js", "src/app.handler"),
        ("src/app.js", "src.app.handler"),
        ("path.js", "path.handler"),
    ],
)
def test_a_file_is_found_by_its_path(start_node: Functions, file: str, handler: str) -> None:
    export = "export const handler" if file.endswith(".mjs") else "exports.handler"
    process = start_node({file: f"{export} = () => 'found';"}, handler)
    process.wait_until_ready()
    assert process.send().json() == "found"


def test_of_two_files_the_one_of_that_very_name_is_taken(start_node: Functions) -> None:
    files = {
        "my.function.js": "exports.handler = () => 'by its name';",
        "my/function.js": "exports.handler = () => 'in a folder';",
    }
    process = start_node(files, "my.function.handler")
    process.wait_until_ready()
    assert process.send().json() == "by its name"


def test_a_folder_is_no_file(start_node: Functions) -> None:
    last = _refusal(start_node, {"index.js/other.js": ""}, "index.handler")
    assert last == "HandlerNotFound: there is no index.js in the source (it contains: index.js)"


def test_both_places_of_a_name_with_a_dot_are_told(start_node: Functions) -> None:
    last = _refusal(start_node, {"other.js": ""}, "my.function.handler")
    expected = "HandlerNotFound: there is no my.function.js or my/function.js in the source"
    assert last.startswith(expected)


@pytest.mark.parametrize("handler", ["../outside.handler", "a/../../outside.handler", ".handler"])
def test_a_file_outside_of_the_source_is_refused(
    start_node: Functions, tmp_path: object, handler: str
) -> None:
    files = {"node_modules/index.js": "", "index.js": ""}
    last = _refusal(start_node, files, handler)
    assert last == f'InvalidHandler: the handler is "{handler}"; write it as file.function'


HANDLER = "exports.handler = () => 1;"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("process.exit(0);", "the source exited with status 0 at its start"),
        ("process.exit(7);", "the source exited with status 7 at its start"),
        (
            "exports.handler = () => 1; process.exitCode = 3; process.exit();",
            "the source exited with status 3 at its start",
        ),
        (
            "process.on('exit', () => console.log('bye')); throw new Error('x');",
            "index.js: Error: x",
        ),
        ("throw new Error('one\\ntwo\\r\\nthree');", "index.js: Error: one"),
        ("throw new Error('\\n\\n  two');", "index.js: Error:   two"),
        ("throw new Error('a\\u2028b\\rc');", "index.js: Error: a"),
        ("throw 'a text';", "index.js: Error: a text"),
        ("throw null;", "index.js: Error: null"),
        ("throw Object.create(null);", "index.js: Error: [Object: null prototype] {}"),
        ("throw Object.assign(new Error('x'), { stack: undefined });", "index.js: Error: x"),
        (HANDLER + "Promise.reject(new TypeError('x\\ny'));", "TypeError: x"),
        (HANDLER + "process.nextTick(() => { throw new Error('x'); });", "Error: x"),
        ("require('./lib/missing');", "index.js: Error: Cannot find module './lib/missing'"),
        (
            "require('missing');",
            "index.js: Error: Cannot find module 'missing' (name its package in package.json)",
        ),
    ],
)
def test_a_start_that_fails_ends_with_one_line_that_begins_with_its_reason(
    start_node: Functions, source: str, expected: str
) -> None:
    last = _refusal(start_node, {"index.js": source}, "index.handler")
    assert last == f"SourceNotImportable: {expected}"


def test_so_does_one_with_a_promise_rejected_for_no_reason(start_node: Functions) -> None:
    last = _refusal(start_node, {"index.js": f"{HANDLER} Promise.reject();"}, "index.handler")
    assert last.startswith("SourceNotImportable: ")
    assert last.endswith('"undefined".')


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("await new Promise(() => {});", "the source waits at its start for what never comes"),
        ("await Promise.reject(new Error('x'));", "index.mjs: Error: x"),
        (
            "import './missing.mjs';",
            (
                "index.mjs: Error: Cannot find module '{source}/missing.mjs' "
                "imported from {source}/index.mjs"
            ),
        ),
        (
            "import 'missing';",
            (
                "index.mjs: Error: Cannot find package 'missing' imported from {source}/index.mjs "
                "(name its package in package.json)"
            ),
        ),
        ("export const handler = (;", "index.mjs: SyntaxError: Unexpected token ';'"),
    ],
)
def test_so_does_that_of_an_es_module(
    start_node: Functions, tmp_path: object, source: str, expected: str
) -> None:
    last = _refusal(start_node, {"index.mjs": source}, "index.handler")
    assert last == f"SourceNotImportable: {expected.format(source=f'{tmp_path}/source')}"


def test_so_does_one_whose_port_is_taken(start_node: Functions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        source = {"index.js": "exports.handler = () => 1;"}
        last = _refusal(start_node, source, "index.handler", PORT=port)
    assert last.startswith("InvalidSettings: HOST or PORT: listen EADDRINUSE")
    assert last.endswith("(a source that calls listen() itself takes it)")


def test_so_does_one_whose_port_is_none(start_node: Functions) -> None:
    source = {"index.js": "exports.handler = () => 1;"}
    last = _refusal(start_node, source, "index.handler", PORT="70000")
    assert last.startswith("InvalidSettings: HOST or PORT: ")
    assert "70000" in last


APP = "const app = (request, response) => response.end('app');\napp.handle = app.use = app;\n"


@pytest.mark.parametrize(
    ("file", "export"),
    [("index.js", "module.exports = app;"), ("index.mjs", "export default app;")],
)
def test_what_is_exported_without_a_name_is_the_default_handler(
    start_node: Functions, file: str, export: str
) -> None:
    process = start_node({file: APP + export}, "index.handler", FUNCTION_SIGNATURE="http")
    process.wait_until_ready()
    assert process.request("GET", "/").body == b"app"


def test_a_handler_that_is_asked_for_by_name_is_no_other(start_node: Functions) -> None:
    files = {"index.js": "module.exports = () => 1;"}
    last = _refusal(start_node, files, "index.missing")
    assert last.startswith('HandlerNotFound: index.js has no function "missing"')


def test_an_app_that_gets_events_is_told_the_signature_that_it_needs(
    start_node: Functions,
) -> None:
    last = _refusal(start_node, {"index.js": APP + "exports.handler = app;"}, "index.handler")
    assert last == (
        'InvalidHandler: "handler" of index.js is an app, which takes requests: '
        "deploy it with the signature http"
    )


def test_of_many_exports_ten_are_named(start_node: Functions) -> None:
    files = {"index.js": "for (let i = 0; i < 99; i++) exports['f' + i] = () => i;"}
    last = _refusal(start_node, files, "index.handler")
    assert "(it exports: f0, " in last
    assert "f9)" in last
