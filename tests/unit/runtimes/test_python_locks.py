"""A lock is that of the pyproject.toml beside it, told without network, index or foreign code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from installer_errors import RecipeError
from requirement_files import find_requirements

if TYPE_CHECKING:
    from pathlib import Path

# As uv 0.13 writes them; tests/integration/runtimes/test_python_locks.py has it do so.
PROJECT = """
[project]
name = "My.App"
version = "1"
requires-python = ">=3.11"
dependencies = [
    "Idna >= 3.0, <4", "idna", "attrs>=v22.1.0.RC1", "urllib3[Socks] != 2.0, >=2",
    "tomli; python_version < '3.11'", "lib>=1", "wheel @ https://example.com/wheel-1-py3-none-any.whl",
]
[project.optional-dependencies]
fast = ["orjson>=3", "my-app[more]"]
more = ["h11 (>=0.14)"]
[dependency-groups]
Dev = ["iniconfig>=2", {include-group = "lint"}]
lint = ["codespell"]
[tool.uv]
dev-dependencies = ["pluggy"]
[tool.uv.sources]
lib = {workspace = true}
"""
LOCK = """
version = 1
revision = 5
requires-python = ">=3.11"

[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://example.com/simple" }

[[package]]
name = "my-app"
version = "1"
source = { virtual = "." }

[package.metadata]
requires-dist = [
    { name = "attrs", specifier = ">=22.1.0rc1" },
    { name = "h11", marker = "extra == 'more'", specifier = ">=0.14" },
    { name = "idna" },
    { name = "idna", specifier = ">=3.0,<4" },
    { name = "lib", editable = "lib" },
    { name = "my-app", extras = ["more"], marker = "extra == 'fast'" },
    { name = "orjson", marker = "extra == 'fast'", specifier = ">=3" },
    { name = "tomli", marker = "python_full_version < '3.11'" },
    { name = "urllib3", extras = ["socks"], specifier = "!=2.0,>=2" },
    { name = "wheel", url = "https://example.com/wheel-1-py3-none-any.whl" },
]
provides-extras = ["fast", "more"]

[package.metadata.requires-dev]
dev = [{ name = "codespell" }, { name = "iniconfig", specifier = ">=2" }, { name = "pluggy" }]
lint = [{ name = "codespell" }]
"""
PYLOCK = """
lock-version = "1.0"
created-by = "a tool"
[[packages]]
name = "idna"
version = "3.7"
[[packages]]
name = "from-an-address"
"""


@pytest.fixture
def find(tmp_path: Path):
    """The file that is installed from, relative to the source or the temporary folder."""
    source, temporary = tmp_path / "source", tmp_path / "temporary"

    def find_in(files: dict[str, str]) -> str | None:
        for folder in (source, temporary):
            folder.mkdir()
        for name, text in files.items():
            (source / name).write_text(text)
        found = find_requirements(source, "3.12")
        return None if found is None else found.relative_to(found.parent).as_posix()

    return find_in


def refusal(find, files: dict[str, str]) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        find(files)
    assert caught.value.exit_code == 1
    return caught.value


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_lock_of_just_this_project_is_installed_from(find) -> None:
    assert find({"pyproject.toml": PROJECT, "uv.lock": LOCK}) == "uv.lock"


def test_a_lock_in_which_extras_are_resolved_is_as_good(find) -> None:
    own = """{ name = "my-app", extras = ["more"], marker = "extra == 'fast'" }"""
    resolved = """{ name = "h11", marker = "extra == 'fast'", specifier = ">=0.14" }"""
    files = {"pyproject.toml": PROJECT, "uv.lock": changed(LOCK, own, resolved)}
    assert find(files) == "uv.lock"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"idna",', '"idna", "six",', "six (the project) is not in it"),
        ('"idna",', "", "idna (the project) is only in it"),
        (">= 3.0, <4", ">= 3.1, <4", "idna<4,>=3.1 (the project) is not in it"),
        ("[Socks]", "", "urllib3!=2.0,>=2 (the project) is not in it"),
        ('"orjson>=3"', '"orjson>=3", "six"', "six (an extra) is not in it"),
        ('"orjson>=3",', "", "orjson>=3 (an extra) is only in it"),
        ('"idna",', '"idna", "orjson>=3",', "orjson>=3 (the project) is not in it"),
        ('"iniconfig>=2"', '"iniconfig>=3"', "iniconfig>=3 (group dev) is not in it"),
        ('"codespell"', '"codespell", "six"', "six (group dev) is not in it"),
        ('"pluggy"', "", "pluggy (group dev) is only in it"),
    ],
    ids=[
        "added", "removed", "other-range", "other-extras", "added-to-an-extra",
        "removed-from-an-extra", "moved-out-of-an-extra", "other-range-in-a-group",
        "added-to-an-included-group", "removed-from-uv-s-own-group",
    ],
)  # fmt: skip
def test_a_project_that_changed_after_its_lock_is_refused(find, old, new, told) -> None:
    error = refusal(find, {"pyproject.toml": changed(PROJECT, old, new), "uv.lock": LOCK})
    assert error.reason == "LockOutOfDate"
    assert told in error.message
    assert "uv lock" in error.message


def test_many_differences_are_counted(find) -> None:
    many = ", ".join(f'"p{number}"' for number in range(300))
    files = {"pyproject.toml": changed(PROJECT, '"idna",', f'"idna", {many},'), "uv.lock": LOCK}
    error = refusal(find, files)
    assert "and 295 more" in error.message
    assert len(error.message) < 500


def test_dependencies_that_only_code_could_tell_are_taken_from_the_lock(find) -> None:
    project = '[project]\nname = "my-app"\ndynamic = ["dependencies", "optional-dependencies"]\n'
    lock = LOCK[: LOCK.index("[package.metadata.requires-dev]")]
    assert find({"pyproject.toml": project, "uv.lock": lock}) == "uv.lock"


def test_a_workspace_that_is_no_project_has_its_groups_compared(find) -> None:
    project = "[tool.uv.workspace]\nmembers = []\n[dependency-groups]\ndev = ['six']\n"
    lock = "version = 1\n[manifest.dependency-groups]\ndev = [{ name = 'six' }]\n"
    assert find({"pyproject.toml": project, "uv.lock": lock}) == "uv.lock"


def test_another_workspace_group_is_refused(find) -> None:
    project = "[tool.uv.workspace]\nmembers = []\n[dependency-groups]\ndev = ['six', 'idna']\n"
    lock = "version = 1\n[manifest.dependency-groups]\ndev = [{ name = 'six' }]\n"
    assert refusal(find, {"pyproject.toml": project, "uv.lock": lock}).reason == "LockOutOfDate"


@pytest.mark.parametrize(
    "dependency",
    ["idna", "IDNA>=3", "idna==3.7", "six; sys_platform == 'win32'", "from.an_address>=2"],
)
def test_a_pylock_that_has_what_the_project_asks_for_is_installed_from(find, dependency) -> None:
    project = f'[project]\nname = "x"\ndependencies = ["{dependency}"]\n'
    assert find({"pyproject.toml": project, "pylock.toml": PYLOCK}) == "pylock.toml"


@pytest.mark.parametrize(
    "dependency", ["six", "idna>=4", "idna==3.6", "six; python_version >= '3.12'"]
)
def test_a_pylock_that_lacks_what_the_project_asks_for_is_refused(find, dependency) -> None:
    project = f'[project]\nname = "x"\ndependencies = ["{dependency}"]\n'
    error = refusal(find, {"pyproject.toml": project, "pylock.toml": PYLOCK})
    assert (error.reason, dependency.partition(";")[0] in error.message) == ("LockOutOfDate", True)


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("poetry.lock", "poetry export"),
        ("pdm.lock", "pdm export"),
        ("Pipfile.lock", "pipenv requirements"),
        ("Pipfile", "pipenv requirements"),
        ("requirements.lock", "rename it to requirements.txt"),
        ("pylock.production.toml", "rename it to pylock.toml"),
        ("conda-lock.yml", "list the packages in a requirements.txt"),
        ("pixi.lock", "list the packages in a requirements.txt"),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"pyproject.toml": '[project]\ndependencies = ["idna"]'}])
def test_a_lock_of_another_tool_is_refused_by_name(find, name, way_out, beside) -> None:
    error = refusal(find, {name: "", **beside})
    assert error.reason == "UnsupportedLock"
    assert error.message.startswith(f"{name} is not read")
    assert way_out in error.message


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        ({"requirements.txt": "idna\n"}, "requirements.txt"),
        ({"pylock.toml": PYLOCK}, "pylock.toml"),
        ({"pyproject.toml": PROJECT, "uv.lock": LOCK}, "uv.lock"),
    ],
    ids=["requirements", "pylock", "uv"],
)
def test_a_lock_of_another_tool_beside_one_of_ours_is_named_in_the_log(
    find, capsys, ours, found
) -> None:
    assert find({"poetry.lock": "", **ours}) == found
    assert capsys.readouterr().out == f"Installing from {found}; not read: poetry.lock\n"


def test_a_lock_that_requirements_go_before_is_named_in_the_log(find, capsys) -> None:
    files = {"pyproject.toml": PROJECT, "uv.lock": LOCK, "requirements.txt": "idna\n"}
    assert find(files) == "requirements.txt"
    assert capsys.readouterr().out == "Installing from requirements.txt; not read: uv.lock\n"


def test_a_lock_without_its_project_is_refused(find) -> None:
    error = refusal(find, {"uv.lock": LOCK})
    assert (error.reason, "pyproject.toml" in error.message) == ("InvalidRequirements", True)


def test_requirements_that_name_nothing_hide_no_other_file(find) -> None:
    nothing = {"requirements.txt": "# as kn-lambda init writes it\n"}
    assert find({**nothing, "pyproject.toml": PROJECT, "uv.lock": LOCK}) == "uv.lock"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"requirements.txt": "# nothing\n\n"},
        {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
        {"pyproject.toml": "[project]\nname = 'x'\ndependencies = []\n"},
    ],
    ids=["no-file", "comments", "settings", "empty-list"],
)
def test_a_source_that_asks_for_nothing_has_no_file_of_requirements(find, files) -> None:
    assert find(files) is None


@pytest.mark.parametrize(
    ("project", "lock"),
    [
        (PROJECT, "version ="),
        (PROJECT, "package = 1"),
        (PROJECT, changed(LOCK, ">=3.0,<4", "three")),
        (PROJECT, "[[package]]\nname = 'my-app'\nsource = 1\n"),
        ('[project]\nname = "x"\ndependencies = ["a b"]', LOCK),
        ('[project]\nname = "x"\ndependencies = "a"', LOCK),
        ('[dependency-groups]\ndev = [{include-group = "gone"}]', LOCK),
        ("project = 1", LOCK),
        ("a = " + "[" * 5000, LOCK),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_same_form(find, project, lock) -> None:
    error = refusal(find, {"pyproject.toml": project, "uv.lock": lock})
    assert error.reason == "InvalidRequirements"


def test_groups_that_include_each_other_many_times_are_read_once(find) -> None:
    groups = [
        f"g{number} = [" + f'{{include-group = "g{number + 1}"}},' * 20 + "]"
        for number in range(200)
    ]
    project = "\n".join(["[dependency-groups]", *groups, "g200 = [{include-group = 'g0'}]"])
    assert find({"pyproject.toml": project, "uv.lock": "version = 1"}) == "uv.lock"


def test_a_password_in_a_requirement_is_not_repeated(find) -> None:
    project = '[project]\ndependencies = ["a b @ https://me:hunter2@example.com/a.whl"]'
    assert "hunter2" not in refusal(find, {"pyproject.toml": project, "uv.lock": LOCK}).message
