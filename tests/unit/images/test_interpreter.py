"""Bytecode in images is made of all modules, or there is no image."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from images.interpreter import Interpreter


@pytest.fixture
def module(tmp_path):
    module = tmp_path / "tree/module.py"
    module.parent.mkdir()
    module.write_text("WORD = 'compiled'\n")
    return module


def bytecode_of(module):
    return Path(importlib.util.cache_from_source(str(module)))


def compile_folder_of(module):
    Interpreter.current().compile(module.parent)


def test_bytecode_is_used_whatever_becomes_of_the_source(module):
    compile_folder_of(module)
    module.write_text("raise SystemExit('the source was read')")
    command = [sys.executable, "-c", "import module; print(module.WORD)"]
    environment = {"PYTHONPATH": str(module.parent)}
    assert subprocess.check_output(command, env=environment, text=True) == "compiled\n"


def test_what_is_never_imported_is_not_compiled(module):
    data = module.parent / "tests/data.py"
    data.parent.mkdir()
    data.write_text("this is no Python")
    compile_folder_of(module)
    assert bytecode_of(module).exists()
    assert not bytecode_of(data).exists()


def test_a_module_that_cannot_be_compiled_is_named(module, capfd):
    module.write_text("this is no Python")
    with pytest.raises(subprocess.CalledProcessError):
        compile_folder_of(module)
    assert "/module.py" in capfd.readouterr().err
