"""Which file is served when nobody names a handler."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from knative_lambda.domain.default_handler import default_handler
from knative_lambda.domain.language import Language

NODE = Language(
    name="nodejs",
    suffixes=(".js", ".mjs", ".cjs"),
    packages="node_modules",
    default_handler="index.handler",
    manifest="package.json",
)
PYTHON = Language(
    name="python", suffixes=(".py",), packages="packages", default_handler="main.handler"
)


@dataclass
class Files:
    """Files by their paths."""

    files: dict[str, str]

    def has(self, path: str) -> bool:
        return path in self.files

    def read(self, path: str, *, max_bytes: int) -> bytes | None:
        content = self.files.get(path)
        return None if content is None else content.encode()[:max_bytes]


def handler(files: dict[str, str], language: Language = NODE) -> str | None:
    return default_handler(Files(files), language)


def package(main: object) -> dict[str, str]:
    return {"package.json": json.dumps({"main": main})}


@pytest.mark.parametrize(
    ("main", "file", "expected"),
    [
        ("src/app.js", "src/app.js", "src/app.handler"),
        ("./src/app.js", "src/app.js", "src/app.handler"),
        ("src/app", "src/app.js", "src/app.handler"),
        ("app.mjs", "app.mjs", "app.handler"),
        ("dist/app.cjs", "dist/app.cjs", "dist/app.handler"),
        ("lib", "lib/index.js", "lib/index.handler"),
        ("lib/", "lib/index.mjs", "lib/index.handler"),
        ("a/../app.js", "app.js", "app.handler"),
    ],
)
def test_main_names_the_file_as_node_finds_it(main, file, expected):
    assert handler({**package(main), file: ""}) == expected


@pytest.mark.parametrize("index", ["index.js", "index.mjs", "index.cjs"])
def test_the_runtime_s_own_default_goes_before_main(index):
    assert handler({**package("src/app.js"), "src/app.js": "", index: ""}) is None


def test_a_page_beside_it_is_no_index():
    files = {**package("src/app.js"), "src/app.js": "", "index.html": ""}
    assert handler(files) == "src/app.handler"


@pytest.mark.parametrize(("main", "expected"), [("dist/app.js", "dist/app"), ("dist", "dist")])
def test_a_main_that_was_left_out_is_what_the_start_asks_for(main, expected):
    # It ends with "there is no dist/app.js in the source", which says what is missing.
    assert handler(package(main)) == f"{expected}.handler"


@pytest.mark.parametrize(
    "main",
    [None, "", 1, ["a.js"], {}, ".", "./", "..", "../app.js", "/app.js", "a/../../b.js",
     "app.ts", "a\nPATH=b.js", "a\0.js", "src/app.json", ".wh.x.js", "src/.wh.x/app.js",
     "a" * 300, "a" * 300 + ".js", "\u00e4" * 126 + ".js", "a/" * 3000 + "b.js", "a" * 100_000],
    ids=lambda main: str(main)[:20],
)  # fmt: skip
def test_a_main_that_names_no_module_of_the_source_is_left_alone(main):
    assert handler({**package(main), "app.ts": "", "src/app.json": ""}) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 100_000, " " * 1024 * 1024 + "{}"])
def test_a_manifest_that_cannot_be_read_is_left_alone(text):
    assert handler({"package.json": text}) is None


def test_a_source_without_a_manifest_has_the_runtime_s_default():
    assert handler({"src/app.js": ""}) is None


def test_a_language_without_such_a_manifest_has_the_runtime_s_default():
    files = {**package("src/app.js"), "src/app.js": ""}
    assert handler(files, PYTHON) is None
