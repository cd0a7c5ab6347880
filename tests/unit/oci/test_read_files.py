"""A few files are read out of an archive; all of it is checked."""

from __future__ import annotations

import io

import pytest

from lambda_oci import archive
from lambda_oci.errors import ContentError
from tests.helpers.archives import ZipMember, gzipped, raw_tar_header, tar_bytes, tar_member
from tests.helpers.archives import zip_bytes as make_zip

LIMITS = archive.Limits(max_bytes=1 << 20, max_entries=100)
FILES = {"main.py": b"print()", "requirements.txt": b"six", "deep/requirements.txt": b"x" * 90_000}


def zip_bytes(files):
    return make_zip(*(ZipMember(name=name.encode(), content=files[name]) for name in files))


def plain_tar(files):
    return tar_bytes(*(tar_member(name, content) for name, content in files.items()))


def tar_gz(files):
    return gzipped(plain_tar(files))


@pytest.mark.parametrize("pack", [zip_bytes, plain_tar, tar_gz])
def test_only_what_is_wanted_is_returned(pack):
    def is_wanted(path):
        return path.endswith("requirements.txt")

    content = io.BytesIO(pack(FILES))
    content.seek(100)
    assert archive.read_files(content, is_wanted, LIMITS) == {
        name: FILES[name] for name in ("requirements.txt", "deep/requirements.txt")
    }


@pytest.mark.parametrize("pack", [zip_bytes, plain_tar, tar_gz])
def test_an_archive_without_any_of_them_gives_none(pack):
    assert archive.read_files(io.BytesIO(pack(FILES)), lambda _: False, LIMITS) == {}


@pytest.mark.parametrize("pack", [zip_bytes, plain_tar, tar_gz])
def test_what_is_not_wanted_counts_as_well(pack):
    small = archive.Limits(max_bytes=90_000, max_entries=100)
    with pytest.raises(ContentError) as caught:
        archive.read_files(io.BytesIO(pack(FILES)), lambda _: False, small)
    assert caught.value.reason == "SourceTooLarge"


@pytest.mark.parametrize("pack", [zip_bytes, plain_tar, tar_gz])
def test_files_that_are_wanted_are_bounded_together(pack):
    def read(max_read_bytes):
        content = io.BytesIO(pack({"a": b"x" * 60_000, "b": b"x" * 60_000, "c": b"x" * 60_000}))
        return archive.read_files(
            content, lambda path: path != "c", LIMITS, max_read_bytes=max_read_bytes
        )

    assert read(120_000).keys() == {"a", "b"}
    with pytest.raises(ContentError, match="'b'") as caught:
        read(119_999)
    assert caught.value.reason == "SourceTooLarge"


def test_a_damaged_member_that_nobody_wants_is_told():
    content = plain_tar(FILES)[:512] + bytes(512) + raw_tar_header(b"../out") + bytes(1024)
    with pytest.raises(ContentError, match="leaves the archive's folder"):
        archive.read_files(io.BytesIO(content), lambda _: False, LIMITS)
