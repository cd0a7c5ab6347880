from __future__ import annotations

import pytest
from click import Context

from kn_lambda.main import cli

COMMANDS = cli.list_commands(Context(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_in_a_narrow_terminal_texts_of_options_stand_below_their_names(
    kn_lambda, monkeypatch, name
):
    monkeypatch.setenv("COLUMNS", "40")
    _, _, options = kn_lambda(name, "--help").stdout.partition("\nOptions:\n")
    lines = options.splitlines()
    assert "  -h, --help" in lines
    assert "    Show this message and exit." in lines
    texts = [line for line in lines if line.startswith("    ")]
    assert [line for line in texts if len(line) > 40] == []


def test_the_first_page_that_people_see_fits_a_narrow_terminal(kn_lambda, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = kn_lambda("--help").stdout.splitlines()
    assert [line for line in lines if len(line) > 40] == []


def test_in_a_wide_one_they_stand_beside_them(kn_lambda, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    shown = kn_lambda("list", "--help").stdout
    assert "  -h, --help                 Show this message and exit." in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_no_command_is_described_by_a_sentence_that_is_cut(kn_lambda, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, _, commands = kn_lambda("--help").stdout.partition("\nCommands:\n")
    assert len(commands.splitlines()) == len(COMMANDS)
    assert [line for line in commands.splitlines() if not line.endswith(".")] == []
    assert [line for line in commands.splitlines() if line.endswith("...")] == []
