"""What the control functions read of a source's requests, which a stranger wrote."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from knative_lambda.domain.language import Language

PYTHON = Language(
    name="python",
    suffixes=(".py",),
    packages="packages",
    default_handler="main.handler",
    requests={"requirements.txt": re.compile(r"^[^\S\n]*[^#\s]", re.MULTILINE)},
    includes=re.compile(r"^-r (?P<file>\S+)", re.MULTILINE),
)
ENDS = ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_every_end_of_a_line_that_python_knows_is_one(end):
    text = f"# a comment{end}-r more.txt{end}"
    assert PYTHON.asks("requirements.txt", text)
    assert list(PYTHON.included(text)) == ["more.txt"]


def test_many_short_lines_take_no_more_memory_than_their_text():
    """Such a file of 16 MiB fits into an archive of 16 KiB, and four at once have 256 MiB."""
    text = "#a\n" * 500_000
    tracemalloc.start()
    try:
        assert not PYTHON.asks("requirements.txt", text)
        assert list(PYTHON.included(text)) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(text)
