"""Which files of a Python source go where packages are installed, and which of them ask for any."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from lambda_builder.runtime_file import read_language

INSTALLER = read_language(
    Path(__file__).parents[3] / "runtimes" / "python" / "runtime.toml"
).installer


def matching(name: str) -> list[str]:
    return [pattern for pattern in INSTALLER.requests if fnmatch.fnmatchcase(name, pattern)]


def asks(name: str, text: str) -> bool:
    return any(INSTALLER.requests[pattern].search(text) for pattern in matching(name))


@pytest.mark.parametrize("name", ["names.txt", "LICENSE.txt", "main.py", "data.toml", "x.json"])
def test_files_of_data_and_code_belong_to_no_request(name: str) -> None:
    assert matching(name) == []


@pytest.mark.parametrize("name", ["requirements.in", "base.in"])
def test_what_requirements_were_compiled_from_goes_with_them_but_asks_for_nothing(
    name: str,
) -> None:
    assert matching(name)
    assert not asks(name, "idna\n")


@pytest.mark.parametrize(
    ("name", "text", "asking"),
    [
        ("requirements.txt", "# as kn-lambda init writes it\n\n", False),
        ("requirements.txt", "# packages\n  idna\n", True),
        ("requirements.txt", "-r more.txt", True),
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", False),
        ("pyproject.toml", "[project]\nname = 'x'\ndependencies = []\n", False),
        ("pyproject.toml", "[project]\ndependencies = [\n  'idna',\n]\n", True),
        ("pyproject.toml", "project = {dependencies = ['idna']}\n", True),
        ("uv.lock", "", True),
        ("pylock.toml", "", True),
        ("poetry.lock", "", True),
    ],
)
def test_a_file_asks_where_the_recipe_would_find_or_refuse_something(
    name: str, text: str, *, asking: bool
) -> None:
    assert asks(name, text) is asking
