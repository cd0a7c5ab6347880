"""Runtimes are found by language and version."""

from __future__ import annotations

import pytest

from lambda_builder.errors import PlatformError, UserError
from lambda_builder.runtime import find_runtime
from tests.helpers.workspaces import write_files, write_runtime


def test_each_version_of_a_language_is_a_runtime(tmp_path):
    folder = write_runtime(tmp_path)
    runtime = find_runtime("tiny2.0", tmp_path)
    assert (runtime.language, runtime.version, runtime.folder) == ("tiny", "2.0", folder)
    assert runtime.recipe == ("sh", "recipe.sh")


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
    "main", ["3", "{}", '{manifest = "a"}', '{manifest = "", extensions = []}']
)
def test_a_main_without_manifest_or_extensions_is_refused(tmp_path, main):
    file = write_runtime(tmp_path) / "runtime.toml"
    file.write_text(f"{file.read_text()}\nmain = {main}\n")
    with pytest.raises(PlatformError, match=r"tiny/runtime\.toml"):
        find_runtime("tiny1.0", tmp_path)
