"""Import-linter is told of every package, and looks for cycles in each."""

from __future__ import annotations

import tomllib

from tests.helpers.dev_overlay import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
LINTER = PROJECT["tool"]["importlinter"]
MEMBERS = PROJECT["tool"]["uv"]["workspace"]["members"]


def test_every_package_of_the_workspace_is_checked():
    packages = {
        path.parent.name for m in MEMBERS for path in REPOSITORY.glob(f"{m}/src/*/py.typed")
    }
    assert len(packages) == len(MEMBERS)
    assert packages | {"images", "tests"} == set(LINTER["root_packages"])


def test_no_package_may_have_an_import_cycle():
    acyclic = [item for item in LINTER["contracts"] if item["type"] == "acyclic_siblings"]
    assert {name for item in acyclic for name in item["ancestors"]} == set(LINTER["root_packages"])
    assert not [item for item in acyclic if "ignore_imports" in item or "depth" in item]
