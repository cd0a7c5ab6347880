"""Which file is served when nobody names a handler."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambda_builder.default_handler import default_handler
from lambda_builder.runtime import find_runtime
from tests.helpers.workspaces import write_files

RUNTIMES = Path(__file__).parents[3] / "runtimes"


def handler(folder: Path, files: dict[str, str], runtime: str = "nodejs20") -> str | None:
    return default_handler(write_files(folder, files), find_runtime(runtime, RUNTIMES).language)


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
def test_main_names_the_file_as_node_finds_it(tmp_path, main, file, expected):
    assert handler(tmp_path, {**package(main), file: ""}) == expected


@pytest.mark.parametrize("index", ["index.js", "index.mjs", "index.cjs"])
def test_the_runtime_s_own_default_goes_before_main(tmp_path, index):
    assert handler(tmp_path, {**package("src/app.js"), "src/app.js": "", index: ""}) is None


def test_a_page_beside_it_is_no_index(tmp_path):
    files = {**package("src/app.js"), "src/app.js": "", "index.html": ""}
    assert handler(tmp_path, files) == "src/app.handler"


@pytest.mark.parametrize(("main", "expected"), [("dist/app.js", "dist/app"), ("dist", "dist")])
def test_a_main_that_was_left_out_is_what_the_start_asks_for(tmp_path, main, expected):
    # It ends with "there is no dist/app.js in the source", which says what is missing.
    assert handler(tmp_path, package(main)) == f"{expected}.handler"


@pytest.mark.parametrize(
    "main",
    [None, "", 1, ["a.js"], {}, ".", "./", "..", "../app.js", "/app.js", "a/../../b.js",
     "app.ts", "a\nPATH=b.js", "a\0.js", "src/app.json", ".wh.x.js", "src/.wh.x/app.js",
     "a" * 300, "a" * 300 + ".js", "\u00e4" * 126 + ".js", "a/" * 3000 + "b.js", "a" * 100_000],
    ids=lambda main: str(main)[:20],
)  # fmt: skip
def test_a_main_that_names_no_module_of_the_source_is_left_alone(tmp_path, main):
    assert handler(tmp_path, {**package(main), "app.ts": "", "src/app.json": ""}) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 100_000, " " * 1024 * 1024 + "{}"])
def test_a_manifest_that_cannot_be_read_is_left_alone(tmp_path, text):
    assert handler(tmp_path, {"package.json": text}) is None


def test_a_manifest_that_became_a_link_is_not_followed(tmp_path):
    secret = write_files(tmp_path / "elsewhere", package("src/app.js")) / "package.json"
    (tmp_path / "source").mkdir()
    (tmp_path / "source/package.json").symlink_to(secret)
    assert handler(tmp_path / "source", {"src/app.js": ""}) is None


def test_a_source_without_a_manifest_has_the_runtime_s_default(tmp_path):
    assert handler(tmp_path, {"src/app.js": ""}) is None


def test_a_language_without_such_a_manifest_has_the_runtime_s_default(tmp_path):
    files = {**package("src/app.js"), "src/app.js": ""}
    assert handler(tmp_path, files, "python3.11") is None
