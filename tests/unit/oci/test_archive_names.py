"""No member name, however made, reaches outside the folder or fails in an unforeseen way."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_oci import archive
from lambda_oci.errors import ContentError
from tests.helpers.archives import ZipMember, raw_tar_header, zip_bytes

LIMITS = archive.Limits(max_bytes=10_000, max_entries=50)
PIECES = [
    b"..",
    b".",
    b"/",
    b"//",
    b"\\",
    b"a",
    b"A",
    b"\0",
    b"\n",
    b"C:",
    b"\xff",
    b"\xc3\xa9",
    b"~",
]
NAMES = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=8).map(b"".join)


def outcome(content: bytes) -> set[str] | None:
    """Names of what was written, or None for a refusal; anything else is an error."""
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        workspace = outer / "workspace"
        workspace.mkdir()
        (workspace / "archive").write_bytes(content)
        written = None
        with contextlib.suppress(ContentError):
            archive.unpack(workspace / "archive", workspace / "source", LIMITS)
            written = {str(path.relative_to(workspace)) for path in workspace.rglob("*")}
        assert [path.name for path in outer.iterdir()] == ["workspace"]
        left = {path.name for path in workspace.iterdir()}
        assert left == {"archive"} | ({"source"} if written is not None else set())
        return written


@given(names=st.lists(NAMES, min_size=1, max_size=4))
def test_a_zip_writes_below_its_folder_or_is_refused(names):
    outcome(zip_bytes(*(ZipMember(name=name) for name in names)))


@given(names=st.lists(NAMES.map(lambda name: name[:99]), min_size=1, max_size=4))
def test_a_tar_writes_below_its_folder_or_is_refused(names):
    outcome(b"".join(raw_tar_header(name) for name in names) + bytes(1024))


@given(
    content=st.binary(max_size=400), start=st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08", b""])
)
def test_arbitrary_bytes_are_refused(content, start):
    assert outcome(start + content) is None


@given(data=st.data())
def test_a_zip_with_flipped_bytes_is_unpacked_or_refused(data):
    content = bytearray(zip_bytes(ZipMember(name=b"main.py"), ZipMember(name=b"lib/a.py")))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    outcome(bytes(content))


@given(data=st.data())
def test_a_tar_with_changed_fields_is_unpacked_or_refused(data):
    header = bytearray(raw_tar_header(b"main.py", size=3))
    for _ in range(data.draw(st.integers(1, 4))):
        header[data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
    header[148:156] = b" " * 8
    header[148:155] = f"{sum(header):06o}\0".encode()
    outcome(bytes(header) + b"abc".ljust(512, b"\0") + bytes(1024))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "UnsafeArchive"),
        ("../evil", "UnsafeArchive"),
        ("a/../../evil", "UnsafeArchive"),
        ("a/../b", "UnsafeArchive"),
        ("C:/windows", "UnsafeArchive"),
        ("a\\b", "UnsafeArchive"),
        ("line\nbreak", "UnsafeArchive"),
        (".wh.main.py", "UnsafeArchive"),
        ("a/.wh.b", "UnsafeArchive"),
        (".wh.a/b", "UnsafeArchive"),
        ("a/.wh..wh..opq", "UnsafeArchive"),
        ("a/./.wh.b", "UnsafeArchive"),
        ("/".join("d" * 33), "SourceTooLarge"),
        ("n" * 256, "InvalidArchive"),
        ("d/" * 5 + "é" * 600, "SourceTooLarge"),
    ],
)
def test_a_dangerous_name_is_refused_with_its_reason(unpacker, name, reason):
    error = unpacker.refusal(zip_bytes(ZipMember(name=name.encode())))
    assert error.reason == reason
    assert len(error.message) < 300
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("main.py", "main.py"),
        ("main.py", "./main.py"),
        ("a/main.py", "a//main.py"),
        ("caf\u00e9.py", "cafe\u0301.py"),
        ("a", "a/b"),
        ("a/b", "a"),
    ],
)
def test_two_members_of_one_place_are_refused(unpacker, first, second):
    content = zip_bytes(ZipMember(name=first.encode()), ZipMember(name=second.encode()))
    assert unpacker.refusal(content).reason == "UnsafeArchive"


def test_names_that_hold_a_mark_of_removal_elsewhere_are_files(unpacker):
    names = ["a.wh.b", ".wh", ".WH.a", ".whatever"]
    files = unpacker.unpack(zip_bytes(*(ZipMember(name=name.encode()) for name in names)))
    assert set(files) == set(names)


@pytest.mark.parametrize("folder", [".wh.a/", "b/.wh.a/"])
def test_a_folder_that_marks_a_removal_is_refused(unpacker, folder):
    error = unpacker.refusal(zip_bytes(ZipMember(name=folder.encode(), content=b"")))
    assert (error.reason, ".wh." in error.message) == ("UnsafeArchive", True)


def test_names_that_differ_in_case_are_two_files(unpacker):
    files = unpacker.unpack(zip_bytes(ZipMember(name=b"README"), ZipMember(name=b"readme")))
    assert set(files) == {"README", "readme"}


def test_a_high_ratio_is_refused(unpacker):
    content = zip_bytes(ZipMember(name=b"a", content=bytes(90_000)))
    error = unpacker.refusal(content, max_ratio=100, ratio_from_bytes=1000)
    assert error.reason == "SourceTooLarge"
    assert "100 times" in error.message
