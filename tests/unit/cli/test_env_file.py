from __future__ import annotations

import pytest

from kn_lambda.deploying.env_file import read_env_file
from kn_lambda.errors import WrongUsageError

_SECRET = "hunter2"


def _read(tmp_path, content):
    file = tmp_path / "some.env"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_env_file(file)


def test_a_file_has_names_values_comments_and_quotes(tmp_path):
    content = "# comment\n\nexport A=1\nB='two words'\nC=\"x\\ny\" # note\nD=\nE=a=b\n"
    wanted = {"A": "1", "B": "two words", "C": "x\ny", "D": "", "E": "a=b"}
    assert _read(tmp_path, content) == wanted


def test_a_value_takes_nothing_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME_SECRET", _SECRET)
    content = "A=${HOME_SECRET}\nB=$HOME_SECRET\nC=$(id)\n"
    wanted = {"A": "${HOME_SECRET}", "B": "$HOME_SECRET", "C": "$(id)"}
    assert _read(tmp_path, content) == wanted


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"A=1\n\n\nB='{_SECRET}\n", 4),
        (f"A=1\n{_SECRET}\n", 2),
        (f"A=1\n\n1A={_SECRET}\n", 3),
        (f"\n'A B'={_SECRET}\n", 2),
        (f"={_SECRET}\n", 1),
        (b"A=1\nB=\xff" + _SECRET.encode(), 2),
    ],
    ids=["open quote", "no value", "digit", "space", "no name", "not UTF-8"],
)
def test_an_error_names_the_line_and_tells_nothing_of_it(tmp_path, content, line):
    with pytest.raises(WrongUsageError, match=rf"some\.env, line {line}\b") as raised:
        _read(tmp_path, content)
    assert _SECRET not in raised.value.message + raised.value.hint
