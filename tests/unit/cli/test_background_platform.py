"""A platform in the background that does not start says why, in its own words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kn_lambda.errors import CommandError
from kn_lambda.local_platform.background import await_ready

ENDED = SimpleNamespace(pid=1, poll=lambda: 1)


@pytest.mark.parametrize(
    ("log", "message", "hint"),
    [
        ("  0.0s  starting\nError: port 80 is taken\nChoose another.\n",
         "the platform did not start: port 80 is taken", "Choose another."),
        ("  0.0s  starting\nKilled\n",
         "the platform did not start:\n  0.0s  starting\nKilled", "kn-lambda doctor"),
    ],
)  # fmt: skip
def test_only_a_log_without_an_error_is_shown_as_it_is(tmp_path, log, message, hint):
    (tmp_path / "platform.log").write_text(log)
    with pytest.raises(CommandError) as raised:
        await_ready(ENDED, tmp_path, tmp_path / "platform.log")
    assert raised.value.message == message
    assert hint in raised.value.hint
