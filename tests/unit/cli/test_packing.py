from __future__ import annotations

import io
import zipfile

import pytest

from kn_lambda.deploying.packing import INLINE_LIMIT_BYTES, inline_source, zip_source
from kn_lambda.deploying.source_files import SourceFile

_MAIN = SourceFile("main.py", b"x = '\xc3\xa9'\r\n")


def test_small_text_travels_inside_the_event_byte_for_byte():
    assert inline_source([_MAIN]) == {"main.py": "x = 'é'\r\n"}


@pytest.mark.parametrize(
    "files",
    [
        [SourceFile("image.png", b"\x89PNG\xff")],
        [SourceFile("run.sh", b"", is_executable=True)],
        [SourceFile("big.txt", b"x" * (INLINE_LIMIT_BYTES + 1))],
        [SourceFile("controls.txt", b"\x01" * INLINE_LIMIT_BYTES)],
        [SourceFile(f"{number}.txt", b"") for number in range(1001)],
    ],
    ids=["binary", "executable", "large", "grows in JSON", "many"],
)
def test_what_an_event_cannot_carry_is_not_inline(files):
    assert inline_source(files) is None


def test_the_largest_text_that_fits_is_inline():
    assert inline_source([SourceFile("big.txt", b"x" * INLINE_LIMIT_BYTES)]) is not None


def test_the_same_files_give_the_same_archive_in_any_order():
    other = SourceFile("bin/run", b"#!/bin/sh\n", is_executable=True)
    assert zip_source([_MAIN, other]) == zip_source([other, _MAIN])


def test_an_archive_keeps_content_and_the_executable_bit():
    archive = zip_source([_MAIN, SourceFile("bin/run", b"#!", is_executable=True)])
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.read("main.py") == _MAIN.content
        modes = {info.filename: info.external_attr >> 16 for info in opened.infolist()}
    assert modes == {"main.py": 0o100644, "bin/run": 0o100755}
