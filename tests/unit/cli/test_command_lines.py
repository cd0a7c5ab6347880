"""Command lines to copy work in the terminal that they are copied to."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from kn_lambda.invoking.command_lines import sample_data
from kn_lambda.program import program


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A `kn-lambda` that was called by its full path, and is on no PATH yet."""
    file = tmp_path / "bin" / "kn-lambda"
    file.parent.mkdir()
    file.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(file)])
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("MAKELEVEL", raising=False)
    return file


def test_the_name_is_enough_if_a_shell_finds_it(installed, monkeypatch):
    monkeypatch.setenv("PATH", f"{installed.parent}:/usr/bin")
    assert program() == "kn-lambda"


def test_the_full_path_is_shown_if_it_is_not_on_path(installed):
    assert program() == str(installed)


def test_the_path_of_make_is_not_that_of_the_next_terminal(installed, monkeypatch):
    monkeypatch.setenv("PATH", f"{installed.parent}:/usr/bin")
    monkeypatch.setenv("MAKELEVEL", "1")
    assert program() == str(installed)


@pytest.mark.parametrize("content", ["[" * 100_000, "no JSON", "[]", '{"data": "\\ud800"'])
def test_sample_data_that_is_none_leaves_the_command_line_without(tmp_path, content):
    (tmp_path / "event.json").write_text(content)
    assert sample_data(tmp_path) is None


def test_sample_data_that_cannot_be_read_leaves_the_command_line_without(tmp_path, monkeypatch):
    (tmp_path / "event.json").write_text('{"data": 1}')
    monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=PermissionError))
    assert sample_data(tmp_path) is None
