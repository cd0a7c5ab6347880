"""What a program of a build leaves when it ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_builder.program import MESSAGE_BYTES, fit, write_message


@given(message=st.text(st.characters(), max_size=6000))
def test_a_termination_message_is_json_and_fits(message):
    content = fit({"reason": "PackageNotFound", "message": message})
    assert len(content) <= MESSAGE_BYTES
    assert json.loads(content)["reason"] == "PackageNotFound"


def test_a_short_message_stays_as_it_is():
    content = fit({"reason": "A", "message": "données"})
    assert json.loads(content) == {"reason": "A", "message": "données"}


def test_a_long_message_keeps_its_start_and_says_that_it_was_cut():
    message = json.loads(fit({"reason": "A", "message": "é" * 5000}))["message"]
    assert message.startswith("é" * 1900)
    assert message.endswith("…")


def test_a_message_with_broken_characters_is_still_json():
    assert json.loads(fit({"reason": "A", "message": "\ud800"}))["message"] == "\\ud800"


def test_a_message_that_cannot_be_written_is_told_on_stderr(tmp_path, capsys):
    write_message(tmp_path / "absent" / "log", {"reason": "A", "message": "b"})
    assert "termination message not written" in capsys.readouterr().err


@pytest.mark.parametrize("old", ["", "x" * 9000])
def test_an_older_message_is_replaced(tmp_path, old):
    path = tmp_path / "log"
    path.write_text(old)
    write_message(path, {"reason": "A", "message": "b"})
    assert json.loads(path.read_text()) == {"reason": "A", "message": "b"}
