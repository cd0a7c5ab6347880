"""What Node.js functions may look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

REGISTERED = """
const functions = require("@google-cloud/functions-framework");
functions.cloudEvent("hello", (event) => ({ got: event.data }));
functions.http("web", (request, response) => {
  if (request.url === "/fails") throw new Error("the secret is 12345");
  response.statusCode = 201;
  response.end(request.method);
});
"""


def _run(start: Functions, files: dict[str, str], handler: str, **env: str) -> FunctionProcess:
    process = start(files, handler, **env)
    process.wait_until_ready()
    return process


@pytest.fixture(params=[3, 5])
def framework(request: pytest.FixtureRequest, packages: Callable[[str], Path], tmp_path: Path):
    (tmp_path / "node_modules").symlink_to(packages(f"framework_{request.param}"))


@pytest.mark.usefixtures("framework")
def test_a_registered_cloud_event_function_runs_unchanged(start_node: Functions) -> None:
    process = _run(start_node, {"index.js": REGISTERED}, "index.hello", FUNCTION_SIGNATURE="http")
    assert process.send([1]).json() == {"got": [1]}


@pytest.mark.usefixtures("framework")
def test_a_registered_http_function_runs_unchanged(start_node: Functions) -> None:
    process = _run(start_node, {"index.js": REGISTERED}, "index.web")
    answer = process.request("PUT", "/x")
    assert (answer.status, answer.body) == (201, b"PUT")
    assert process.request("GET", "/fails").status == 500
    process.wait_for_log("the secret is 12345")
    assert process.request("GET", "/health/liveness").status == 200


@pytest.mark.usefixtures("framework")
def test_functions_of_an_es_module_can_be_registered(start_node: Functions) -> None:
    source = "import { http } from '@google-cloud/functions-framework';\n"
    source += "http('web', (request, response) => response.send(request.body));"
    process = _run(start_node, {"index.mjs": source}, "index.web")
    assert process.request("POST", "/", b"a", {"content-type": "text/plain"}).body == b"a"


TYPED = """
const functions = require("@google-cloud/functions-framework");
functions.typed("json", async ({ a }) => {
  if (a === 0) throw new Error("zero");
  return { a: a + 1 };
});
functions.typed("own", {
  handler: (text) => text.toUpperCase(),
  format: {
    deserializeRequest: (request) => `${request.header("x-one")} ${request.body()}`,
    serializeResponse: (response, text) => {
      response.setHeader("x-two", "2");
      response.write(text);
      response.end("!");
    },
  },
});
"""


@pytest.mark.parametrize("framework", [3], indirect=True)
@pytest.mark.usefixtures("framework")
def test_a_registered_typed_function_runs_unchanged(start_node: Functions) -> None:
    process = _run(start_node, {"index.js": TYPED}, "index.json")
    headers = {"content-type": "application/json"}
    assert process.request("POST", "/", b'{"a": 1}', headers).json() == {"a": 2}
    assert process.request("POST", "/", b'{"a": 0}', headers).status == 500
    assert process.request("POST", "/", b'{"a": 1').status == 400
    refused = process.request("POST", "/", b'{"a"', headers)
    assert (refused.status, refused.json()["reason"]) == (400, "InvalidBody")


@pytest.mark.parametrize("framework", [3], indirect=True)
@pytest.mark.usefixtures("framework")
def test_a_typed_function_may_have_a_format_of_its_own(start_node: Functions) -> None:
    process = _run(start_node, {"index.js": TYPED}, "index.own")
    headers = {"content-type": "text/plain", "x-one": "a"}
    answer = process.request("POST", "/", b"b", headers)
    assert (answer.body, answer.headers["x-two"]) == (b"A B!", "2")


def test_an_es_module_is_a_source_too(start_node: Functions) -> None:
    files = {
        "index.mjs": "import value from './value.mjs';\n"
        "const ready = await Promise.resolve(1);\n"
        "export const handler = (event) => ({ value, ready });",
        "value.mjs": "export default 7;",
    }
    assert _run(start_node, files, "index.handler").send().json() == {"value": 7, "ready": 1}


def test_packages_beside_the_source_are_found_from_es_modules(start_node: Functions) -> None:
    files = {
        "package.json": '{"type": "module"}',
        "index.js": "import p from 'p'; export default { handler: () => p };",
        "node_modules/p/index.js": "module.exports = 'package';",
    }
    assert _run(start_node, files, "index.handler").send().json() == "package"


def test_a_callback_ends_a_function_that_takes_one(start_node: Functions) -> None:
    source = """
    exports.handler = (event, done) =>
      setTimeout(() => event.data ? done(null, event.data) : done(new Error("no data")), 10);
    """
    process = _run(start_node, {"index.js": source}, "index.handler")
    assert process.send({"a": 1}).json() == {"a": 1}
    assert process.send(None).status == 500


def test_an_http_function_without_the_framework_has_the_everyday_additions(
    start_node: Functions,
) -> None:
    source = """
    exports.handler = async (request, response) => {
      if (request.path === "/fails") throw new Error("the secret is 12345");
      if (request.path === "/silent") return;
      response.status(202).set("x-own", "1");
      response.json({ path: request.path, query: request.query, body: request.body,
                      agent: request.get("X-Agent") });
    };
    """
    settings = {"FUNCTION_SIGNATURE": "http", "FUNCTION_TIMEOUT_SECONDS": "0.5"}
    process = _run(start_node, {"index.js": source}, "index.handler", **settings)
    headers = {"content-type": "application/json", "x-agent": "a"}
    answer = process.request("POST", "/p?q=1", b'{"x": 1}', headers)
    assert (answer.status, answer.headers["x-own"]) == (202, "1")
    assert answer.json() == {"path": "/p", "query": {"q": "1"}, "body": {"x": 1}, "agent": "a"}
    assert process.request("POST", "/p", b'{"x"', headers).status == 400
    assert process.request("GET", "/fails").status == 500
    assert process.request("GET", "/silent").status == 504


@pytest.mark.parametrize("chunked", [False, True])
def test_a_sender_of_a_large_body_reads_413_and_may_go_on(
    start_node: Functions, chunked: bool
) -> None:
    source = "exports.handler = (request, response) => response.send('ok');"
    settings = {"FUNCTION_SIGNATURE": "http", "FUNCTION_MAX_BODY_BYTES": "10"}
    process = _run(start_node, {"index.js": source}, "index.handler", **settings)
    large = b"x" * 10_000_000
    for _ in range(3):
        body = iter([large[:5], large[5:5_000_000], large[5_000_000:]]) if chunked else large
        answers = process.requests([("POST", body), ("GET", None)])
        assert b"BodyTooLarge" in answers[0]
        assert answers[1] == b"ok"


def test_a_large_body_is_413_for_an_http_function_too(start_node: Functions) -> None:
    source = "exports.handler = (request, response) => response.send('ok');"
    settings = {"FUNCTION_SIGNATURE": "http", "FUNCTION_MAX_BODY_BYTES": "10"}
    process = _run(start_node, {"index.js": source}, "index.handler", **settings)
    assert process.request("POST", "/", b"x" * 11).status == 413
    assert process.request("POST", "/", b"x" * 10).body == b"ok"
