"""What is no .zip, .tar or .tar.gz is refused by the name of what it is."""

from __future__ import annotations

import bz2
import lzma

import pytest

from tests.helpers.archives import gzipped, tar_bytes, tar_member

TAR = tar_bytes(tar_member("main.py"))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (lzma.compress(TAR), "a .xz file"),
        (bz2.compress(TAR), "a .bz2 file"),
        (b"\x28\xb5\x2f\xfd" + TAR, "a .zst file"),
        (b"\x04\x22\x4d\x18" + TAR, "a .lz4 file"),
        (b"LZIP\1" + TAR, "a .lz file"),
        (b"\x1f\x9d\x90" + TAR, "a .Z file"),
        (b"7z\xbc\xaf\x27\x1c" + TAR, "a .7z archive"),
        (b"Rar!\x1a\x07\x01\0" + TAR, "a .rar archive"),
        (b"<!doctype html><title>404", "a web page"),
        (b"\xef\xbb\xbf\r\n <?xml version='1.0'?><Error>", "a web page"),
        (b"", "an empty file"),
        (b"def handler(event): ...", "no archive"),
        (bytes(1024), "no archive"),
        (b"\x7fELF", "no archive"),
        (b"7z\xbc\xaf", "no archive"),
    ],
    ids=[
        "xz", "bz2", "zst", "lz4", "lz", "Z", "7z", "rar", "html", "xml", "empty", "text", "zeros",
        "program", "cut-off",
    ],
)  # fmt: skip
def test_another_kind_is_refused_by_name_with_the_kinds_that_are_read(unpacker, content, name):
    error = unpacker.refusal(content)
    assert error.reason == "InvalidArchive"
    assert error.message.startswith(f"the source is {name}")
    assert ".zip, .tar or .tar.gz" in error.message


def test_one_compressed_file_is_no_source(unpacker):
    assert unpacker.refusal(gzipped(b"def handler(event): ...")).reason == "InvalidArchive"
