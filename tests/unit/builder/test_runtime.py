"""Runtimes are found by language and version."""

from __future__ import annotations

import pytest

from lambda_builder.errors import PlatformError, UserError
from lambda_builder.runtime import find_runtime
from tests.helpers.workspaces import write_files, write_runtime


def test_each_version_of_a_language_is_a_runtime(tmp_path):
    folder = write_runtime(tmp_path)
    runtime = find_runtime("tiny2.0", tmp_path)
    assert (runtime.language.name, runtime.version) == ("tiny", "2.0")
    assert runtime.language.folder == folder
    assert runtime.language.recipe == ("sh", "recipe.sh")


@pytest.mark.parametrize("name", ["tiny3.0", "tiny", "", "../tiny1.0"])
def test_an_unknown_runtime_is_refused_with_those_there_are(tmp_path, name):
    write_runtime(tmp_path)
    with pytest.raises(UserError, match=r"tiny1\.0, tiny2\.0") as caught:
        find_runtime(name, tmp_path)
    assert caught.value.reason == "UnsupportedRuntime"


@pytest.mark.parametrize(
    "content",
    ["language = ", 'language = "a"', 'versions = ["1"]\nlanguage = 3\npackages = "p"\n'],
)
def test_a_broken_runtime_is_named(tmp_path, content):
    write_files(tmp_path / "broken", {"runtime.toml": content})
    with pytest.raises(PlatformError, match=r"broken/runtime\.toml") as caught:
        find_runtime("tiny1.0", tmp_path)
    assert caught.value.reason == "InvalidRuntime"


@pytest.mark.parametrize("packages", ["../x", "source", "..", "a/b"])
def test_packages_lie_beside_the_source(tmp_path, packages):
    file = write_runtime(tmp_path) / "runtime.toml"
    file.write_text(file.read_text().replace('"packages"', f'"{packages}"'))
    with pytest.raises(PlatformError, match="packages"):
        find_runtime("tiny1.0", tmp_path)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('aliases = ["Tiny 1"]', "aliases has 'Tiny 1', which is not lower-case letters"),
        ("source = 3", "source is not a table"),
        ('source = {suffixes = ["py"]}', "source.suffixes has 'py', which is not a suffix"),
        ('source = {markers = "main.py"}', "source.markers is not a list of texts"),
        ('source = {endings = [".py"]}', "source.endings is not a field of this file"),
        ("environment = {DEBUG = 1}", "environment is not a table of texts"),
        ('interpreter = {probe = ["tiny"], install = "x"}', "interpreter.reply is missing"),
        (
            'interpreter = {probe = ["tiny"], install = "x", reply = "("}',
            "interpreter.reply is not a regular expression",
        ),
        (
            'interpreter = {probe = ["tiny"], install = "x", reply = "[0-9]+"}',
            "interpreter.reply has no group (?P<version>...)",
        ),
        (
            (
                'interpreter = {probe = ["t"], install = "x", reply = "(?P<version>.)",'
                ' environment = {command = ["sh"], inputs = ["gone"]}}'
            ),
            "interpreter.environment.inputs has 'gone', which is not a file of tiny/",
        ),
        ('installer = {variables = ["["]}', "installer.variables is not a regular expression"),
        (
            'compiler = {command = ["tinyc"], environment = {}, output = [".cache"]}',
            "compiler.command has no word {folder}",
        ),
        (
            'debugger = {options = ["-d"], waiting = ["-w"], port = 0, attach = {}}',
            "debugger.port is not a port",
        ),
        (
            'debugger = {options = ["-d"], waiting = ["-w"], port = 1, attach = 3}',
            "debugger.attach is not a table",
        ),
        (
            (
                'debugger = {options = ["-d"], waiting = ["-w"], port = 1, attach = {},'
                ' requirements = "gone"}'
            ),
            "debugger.requirements is not a folder of tiny/",
        ),
        ("images = {}", "images.official is missing"),
    ],
)
def test_a_wrong_field_is_named_in_full(tmp_path, line, field):
    file = write_runtime(tmp_path) / "runtime.toml"
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(PlatformError) as caught:
        find_runtime("tiny1.0", tmp_path)
    assert caught.value.message.startswith(f"tiny/runtime.toml cannot be used: {field}")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("language", '"Tiny-1"', "language is not lower-case letters"),
        ("versions", '["1.0", "latest"]', "versions has 'latest', which is not numbers"),
        ("default_handler", '"handler"', "default_handler is not module.function"),
        ("recipe", "[]", "recipe is empty"),
        ("entrypoint", None, "entrypoint is missing"),
    ],
)
def test_a_required_field_that_is_wrong_or_missing_is_named(tmp_path, field, value, problem):
    file = write_runtime(tmp_path) / "runtime.toml"
    others = [line for line in file.read_text().splitlines() if not line.startswith(f"{field} =")]
    file.write_text("\n".join([*others, *([f"{field} = {value}"] if value else [])]))
    with pytest.raises(PlatformError) as caught:
        find_runtime("tiny1.0", tmp_path)
    assert caught.value.message.startswith(f"tiny/runtime.toml cannot be used: {problem}")
