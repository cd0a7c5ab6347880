"""A request of a Node.js function is Node's own stream, and other frameworks' apps run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.runtimes.helpers.function_process import FunctionProcess

    Functions = Callable[..., FunctionProcess]

STREAMS = """
const { Readable } = require("node:stream");
const ways = {
  data: (request, response) => {
    let size = 0;
    request.on("data", (chunk) => (size += chunk.length));
    request.on("end", () => response.end(String(size)));
  },
  readable: (request, response) => {
    let size = 0;
    request.on("readable", () => {
      for (let chunk; (chunk = request.read()) !== null; ) size += chunk.length;
    });
    request.on("end", () => response.end(String(size)));
  },
  iterated: async (request, response) => {
    let size = 0;
    for await (const chunk of request) size += chunk.length;
    response.end(String(size));
  },
  text: (request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece) => (text += piece));
    request.on("end", () => response.end(String(Buffer.byteLength(text))));
  },
  later: async (request, response) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    ways.data(request, response);
  },
  parsed: ({ rawBody }, response) => response.end(String(rawBody?.length ?? 0)),
  web: async (request, response) => {
    // An experiment before, which takes no stream that was read and given back.
    if (parseInt(process.versions.node) < 20) return ways.data(request, response);
    const options = { method: "POST", body: request, duplex: "half" };
    const sent = new Request("http://localhost/", options);
    response.end(String((await sent.arrayBuffer()).byteLength));
  },
  piped: (request, response) => request.pipe(response),
};
exports.handler = (request, response) => ways[request.url.slice(1)](request, response);
"""
WAYS = ["data", "readable", "iterated", "text", "later", "parsed", "web"]
LARGE = b"0123456789" * 100_000


def _pieces() -> Iterator[bytes]:
    yield from (LARGE[:300_000], LARGE[300_000:])


# With the package or without, or with an Express of the function's own.
BESIDE: dict[str, tuple[str, str] | None] = {
    "alone": None,
    "express 4": ("framework_3", "express"),
    "express 5": ("framework_5", "express"),
    "framework 3": ("framework_3", ""),
    "framework 5": ("framework_5", ""),
}


def _put_beside(root: Path, packages: Callable[[str], Path], beside: str) -> None:
    wanted = BESIDE[beside]
    if wanted is None:
        return
    name, package = wanted
    if package:
        (root / "node_modules").mkdir()
    target = root / "node_modules" / package if package else root / "node_modules"
    target.symlink_to(packages(name) / package)


def _run(start: Functions, files: dict[str, str], **settings: str) -> FunctionProcess:
    process = start(files, "index.handler", FUNCTION_SIGNATURE="http", **settings)
    process.wait_until_ready()
    return process


@pytest.mark.parametrize("beside", BESIDE)
def test_a_body_is_read_as_nodes_own_stream(
    start_node: Functions, packages: Callable[[str], Path], tmp_path: Path, beside: str
) -> None:
    _put_beside(tmp_path, packages, beside)
    process = _run(start_node, {"index.js": STREAMS})
    headers = {"content-type": "application/octet-stream"}
    for way in WAYS:
        asked = f"/{way}"
        assert process.request("GET", asked).body == b"0", way
        assert process.request("POST", asked, b"", headers).body == b"0", way
        assert process.request("POST", asked, iter(()), headers).body == b"0", way
        assert process.request("POST", asked, b"abc", headers).body == b"3", way
        assert process.request("POST", asked, LARGE, headers).body == b"1000000", way
        assert process.request("POST", asked, _pieces(), headers).body == b"1000000", way
    assert process.request("POST", "/piped", LARGE, headers).body == LARGE
    assert process.request("GET", "/piped").body == b""


def test_a_connection_goes_on_after_a_body_that_nobody_read(start_node: Functions) -> None:
    source = "exports.handler = (request, response) => response.end(request.method);"
    process = _run(start_node, {"index.js": source})
    for body in (LARGE, b"abc"):
        assert process.requests([("POST", body), ("GET", None), ("PUT", body)]) == [
            b"POST",
            b"GET",
            b"PUT",
        ]


def test_a_function_hears_that_its_caller_left(start_node: Functions) -> None:
    source = """
    exports.handler = (request, response) => {
      response.write("begun");
      request.on("close", () => console.log("request closed"));
      response.on("close", () => console.log("response closed"));
    };
    """
    process = _run(start_node, {"index.js": source})
    process.leave("GET", "/")
    process.wait_for_log("request closed")
    process.wait_for_log("response closed")


JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
STRICT = """
const express = require("express");
const app = express();
app.post("/hook", express.raw({ type: "*/*" }), (request, response) =>
  response.send(`bytes ${request.body.length}`));
app.use(express.json({ limit: 100 }));
app.post("/items", (request, response) => response.json(request.body));
app.use((error, _request, response, _next) =>
  response.status(error.status).json({ mine: error.type }));
module.exports = app;
"""
APP = """
const express = require("express");
const app = express();
app.get("/query", (request, response) => response.json(request.query));
app.get("/fails", () => { throw new Error("the secret is 12345"); });
app.post("/raw", express.raw({ type: "*/*" }), (request, response) =>
  response.send(`bytes ${request.body.toString("hex")}`));
app.use(express.json(), express.urlencoded({ extended: false }), express.text());
app.post("/body/:name", (request, response) =>
  response.status(201).json({ name: request.params.name, body: request.body }));
app.use("/static", express.static(__dirname));
exports.app = app;
exports.handler = app;
"""
EXPORTED = {
    "an app": APP,
    "a function": """
    const { app } = require("./app.js");
    exports.handler = (request, response) => app(request, response);
    """,
    "a router": """
    exports.handler = require("express").Router().use(require("./app.js").app);
    """,
    "another package's": "exports.handler = require('other').handler;",
}


@pytest.mark.parametrize("beside", [name for name in BESIDE if name != "alone"])
def test_an_app_of_express_refuses_bodies_in_its_own_words(
    start_node: Functions, packages: Callable[[str], Path], tmp_path: Path, beside: str
) -> None:
    _put_beside(tmp_path, packages, beside)
    process = _run(start_node, {"index.js": STRICT})
    assert process.request("POST", "/hook", b"{bad", JSON).body == b"bytes 4"
    assert process.request("POST", "/items", b'{"a": 1}', JSON).json() == {"a": 1}
    other = {"content-type": "application/json; charset=foo"}
    for body, headers, status, mine in (
        (b"{bad", JSON, 400, "entity.parse.failed"),
        (b"1" * 3000, JSON, 413, "entity.too.large"),
        (b"{}", other, 415, "charset.unsupported"),
    ):
        told = process.request("POST", "/items", body, headers)
        assert (told.status, told.json()) == (status, {"mine": mine})


@pytest.mark.parametrize("beside", [name for name in BESIDE if name != "alone"])
@pytest.mark.parametrize("exported", EXPORTED)
def test_an_app_of_express_runs_with_its_own_parsers(
    start_node: Functions,
    packages: Callable[[str], Path],
    tmp_path: Path,
    beside: str,
    exported: str,
) -> None:
    files = {"index.js": EXPORTED[exported], "app.js": APP}
    if exported == "another package's":
        files = {"index.js": EXPORTED[exported], "node_modules/other/index.js": APP}
        (tmp_path / "node_modules" / "other").mkdir(parents=True)
        _put_beside(tmp_path / "node_modules" / "other", packages, beside)
    else:
        _put_beside(tmp_path, packages, beside)
    process = _run(start_node, files)
    told = process.request("POST", "/body/a", b'{"x": 5}', JSON)
    assert (told.status, told.json()) == (201, {"name": "a", "body": {"x": 5}})
    told = process.request("POST", "/body/b", b"x=1&x=2", FORM)
    assert told.json() == {"name": "b", "body": {"x": ["1", "2"]}}
    told = process.request("POST", "/body/c", b"text", {"content-type": "text/plain"})
    assert told.json()["body"] == "text"
    told = process.request("POST", "/raw", b'{"a":1}', JSON)
    assert told.body == b"bytes 7b2261223a317d"
    assert process.request("GET", "/query?a=1&a=2").json() == {"a": ["1", "2"]}
    assert process.request("GET", "/static/index.js").status == 200
    assert process.request("GET", "/nowhere").status == 404
    told = process.request("GET", "/fails")
    assert (told.status, b"12345" in told.body) == (500, False)
