"""What `kn-lambda init` writes is built without a word of warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.runtimes.helpers.recipe_process import RUNTIMES, run_recipe

if TYPE_CHECKING:
    from pathlib import Path


def test_a_fresh_function_is_built_in_one_calm_line(language: str, tmp_path: Path) -> None:
    template = RUNTIMES / language / "template"
    files = {file.name: file.read_text() for file in template.iterdir() if file.is_file()}
    run = run_recipe(language, files, tmp_path)
    assert (run.status, run.files()) == (0, {})
    assert run.log.endswith(": nothing to install\n")
    assert run.log.count("\n") == 1
