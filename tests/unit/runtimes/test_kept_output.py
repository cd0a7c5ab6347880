"""What an installer prints takes bounded memory, however much it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import uv_program
from installer_errors import RecipeError
from kept_output import KeptOutput
from uv_program import Uv

RUNTIMES = Path(__file__).parents[3] / "runtimes"
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_the_beginning_and_the_end_of_very_much_are_kept(size) -> None:
    output = KeptOutput()
    for line in ("first\n", *["x" * size + "\n"] * (6 * MEBIBYTE // size), "last\n"):
        output.add(line)
    assert output.text.startswith("first\nx")
    assert output.text.endswith("x\nlast\n")
    assert len(output.text) <= 2 * MEBIBYTE + 3 * size


def test_what_is_short_is_kept_as_it_is() -> None:
    output = KeptOutput()
    for line in ("a\n", "", "b"):
        output.add(line)
    assert output.text == "a\nb"


def test_a_line_without_end_of_an_installer_is_told_shortly(tmp_path, monkeypatch, capsys) -> None:
    program = tmp_path / "uv"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdout.write('error: it\\n' + 'a' * 5_000_000)\n"
        "sys.exit(1)\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(uv_program, "find_uv", lambda: str(program))
    with pytest.raises(RecipeError) as caught:
        Uv(folder=tmp_path, environment={}).run()
    assert len(caught.value.message) <= 2000
    # The log has all of it.
    assert len(capsys.readouterr().out) > 5_000_000


def test_the_languages_keep_it_in_the_same_way() -> None:
    """Each runtime has all that its recipe runs in its own folder."""
    python, node = (RUNTIMES / name / "kept_output.py" for name in ("python", "nodejs"))
    assert python.read_text() == node.read_text()


def test_recipes_of_all_languages_keep_it_alike() -> None:
    """A language is a folder of its own, which imports nothing of another one."""
    copies = {file.read_bytes() for file in RUNTIMES.glob("*/kept_output.py")}
    assert len(copies) == 1
