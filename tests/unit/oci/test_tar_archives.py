"""What tar archives unpack to, and which are refused."""

from __future__ import annotations

import tarfile

import pytest

from tests.helpers.archives import gzipped, raw_tar_header, tar_bytes, tar_member

LONG = "folder/" * 20 + "a-name-that-is-longer-than-old-headers-hold.py"


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
@pytest.mark.parametrize("pack", [bytes, gzipped], ids=["tar", "tar.gz"])
def test_files_of_an_ordinary_tar_arrive(unpacker, layout, pack):
    files = {"main.py": b"print()\n", LONG: b"x" * 5000, "données/é.txt": b""}
    members = [tar_member(name, content) for name, content in files.items()]
    assert unpacker.unpack(pack(tar_bytes(*members, format=layout))) == files


def test_names_split_over_two_fields_arrive(unpacker):
    name = "a" * 90 + "/" + "b" * 60
    assert unpacker.unpack(tar_bytes(tar_member(name), format=tarfile.USTAR_FORMAT)) == {name: b"x"}


def test_a_dot_at_the_start_of_names_does_not_matter(unpacker):
    folder = tar_member("./", b"", type=tarfile.DIRTYPE)
    assert unpacker.unpack(tar_bytes(folder, tar_member("./main.py"))) == {"main.py": b"x"}


def test_a_git_archive_arrives(unpacker):
    # git puts the commit's id into a global header.
    content = tar_bytes(
        tar_member("main.py"), format=tarfile.PAX_FORMAT, pax_headers={"comment": "0" * 40}
    )
    assert unpacker.unpack(content) == {"main.py": b"x"}


def test_folders_may_come_twice(unpacker):
    folder = tar_member("lib/", b"", type=tarfile.DIRTYPE)
    assert unpacker.unpack(tar_bytes(folder, folder, tar_member("lib/a.py"))) == {"lib/a.py": b"x"}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "named pipe"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
        (b"Z", "unknown type"),
    ],
)
def test_what_is_no_file_or_folder_is_refused(unpacker, kind, message):
    member = raw_tar_header(b"it", kind=kind)
    error = unpacker.refusal(raw_tar_header(b"first.py") + member + bytes(1024))
    assert error.reason == "UnsafeArchive"
    assert message in error.message


def test_a_link_that_stays_inside_is_refused_too(unpacker):
    link = tar_member("link", b"", type=tarfile.SYMTYPE, linkname="main.py")
    error = unpacker.refusal(tar_bytes(tar_member("main.py"), link))
    assert "--dereference" in error.message


def test_names_that_are_not_utf8_are_refused(unpacker):
    error = unpacker.refusal(raw_tar_header(b"caf\xe9.py") + bytes(1024))
    assert error.reason == "UnsafeArchive"
    assert "not UTF-8" in error.message


@pytest.mark.parametrize(
    "records",
    [b"9 path=..", b"x path=a\n", b"99 path=a\n", b"0 path=a\n", b"12 size=abc\n", b"8 path=\n\n"],
)
def test_a_damaged_extended_header_is_refused(unpacker, records):
    header = raw_tar_header(b"pax", size=len(records), kind=b"x")
    content = header + records.ljust(512, b"\0") + raw_tar_header(b"main.py") + bytes(1024)
    assert unpacker.refusal(content).reason in {"InvalidArchive", "UnsafeArchive"}


def test_a_global_header_that_renames_members_is_refused(unpacker):
    member = tar_member("main.py")
    content = tar_bytes(member, format=tarfile.PAX_FORMAT, pax_headers={"path": "../evil"})
    assert unpacker.refusal(content).reason == "UnsafeArchive"


def test_a_sparse_file_is_refused(unpacker):
    member = tar_member("a", pax_headers={"GNU.sparse.size": "99999999999"})
    error = unpacker.refusal(tar_bytes(member, format=tarfile.PAX_FORMAT))
    assert "sparse" in error.message


def test_a_header_that_states_gigabytes_is_refused_unread(unpacker):
    content = raw_tar_header(b"pax", size=8**11 - 1, kind=b"x") + bytes(2048)
    assert unpacker.refusal(content).reason == "SourceTooLarge"


def test_a_size_beyond_the_archive_is_refused(unpacker):
    content = raw_tar_header(b"main.py", size=5000) + bytes(1024)
    error = unpacker.refusal(content)
    assert error.reason == "InvalidArchive"
    assert "cut off" in error.message


def test_a_huge_base_256_size_is_refused(unpacker):
    info, content = tar_member("main.py")
    info.size = 1 << 62
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert unpacker.refusal(header + content).reason == "SourceTooLarge"


@pytest.mark.parametrize("keep", [100, 511, 512, 600, 1023, 1024])
def test_a_cut_off_tar_is_refused(unpacker, keep):
    content = tar_bytes(tar_member("main.py", b"y" * 400))
    assert unpacker.refusal(content[:keep]).reason == "InvalidArchive"


@pytest.mark.parametrize("keep", [5, 30, -9, -1])
def test_a_cut_off_tar_gz_is_refused(unpacker, keep):
    content = gzipped(tar_bytes(tar_member("main.py", bytes(range(256)))))
    # What follows the end of the tar is padding; only its first half is needed.
    cut = content[:keep] if keep > 0 else content[: len(content) // 2 + keep]
    assert unpacker.refusal(cut).reason == "InvalidArchive"


def test_a_tar_gz_of_several_parts_arrives(unpacker):
    content = tar_bytes(tar_member("main.py", b"y" * 700))
    parts = gzipped(content[:300]) + gzipped(content[300:]) + bytes(100)
    assert unpacker.unpack(parts) == {"main.py": b"y" * 700}


def test_a_tar_gz_of_thousands_of_parts_is_refused(unpacker):
    error = unpacker.refusal(gzipped(b"") * 3000)
    assert error.reason == "InvalidArchive"


def test_damaged_headers_are_refused(unpacker):
    content = bytearray(tar_bytes(tar_member("main.py"), tar_member("other.py")))
    content[1024 + 5] ^= 1
    error = unpacker.refusal(bytes(content))
    assert "checksum" in error.message


def test_members_beyond_the_limit_are_refused(unpacker):
    members = [tar_member(str(number)) for number in range(51)]
    assert unpacker.refusal(tar_bytes(*members)).reason == "SourceTooLarge"


def test_headers_without_members_are_counted_too(unpacker):
    header = raw_tar_header(b"name", size=5, kind=b"L") + b"name\0".ljust(512, b"\0")
    assert unpacker.refusal(header * 500).reason == "SourceTooLarge"


def test_large_headers_of_many_members_arrive(unpacker):
    members = [tar_member(str(n), pax_headers={"comment": "a" * 20_000}) for n in range(50)]
    assert len(unpacker.unpack(tar_bytes(*members, format=tarfile.PAX_FORMAT))) == 50


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_headers_that_are_too_large_together_are_refused(unpacker, kind):
    """Compressed, they are next to nothing, and no other limit counts them."""
    header = raw_tar_header(b"name", size=2**19, kind=kind) + b"8 key=a\n" * 2**16
    error = unpacker.refusal(header * 3 + tar_bytes(tar_member("main.py")))
    assert error.reason == "SourceTooLarge"
    assert "headers" in error.message


def test_folders_that_a_path_implies_are_counted_too(unpacker):
    members = [tar_member(f"{number}/a/b/c/d/e/f.py") for number in range(10)]
    assert unpacker.refusal(tar_bytes(*members)).reason == "SourceTooLarge"
