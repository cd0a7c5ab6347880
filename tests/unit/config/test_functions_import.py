"""What the entry points of the control functions may import: import-linter knows packages only."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

FUNCTIONS = sorted((Path(__file__).parents[3] / "functions").glob("*/main.py"))


def imported_by(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            yield node.module


@pytest.mark.parametrize("file", FUNCTIONS, ids=lambda file: file.parent.name)
def test_a_function_wires_the_control_plane_and_nothing_else(file):
    packages = {name.partition(".")[0] for name in imported_by(file)} - sys.stdlib_module_names
    assert packages <= {"knative_lambda", "flask", "functions_framework", "starlette"}
