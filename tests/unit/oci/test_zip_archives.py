"""What zip archives unpack to, and which are refused."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

import pytest

from tests.helpers.archives import ZipMember, zip64_bytes, zip_bytes


class Pipe:
    """Takes bytes and cannot seek, so that sizes come after the content."""

    def __init__(self):
        self.content = bytearray()

    def write(self, data):
        self.content += data
        return len(data)

    def flush(self):
        pass


def made_by_zipfile(files: dict[str, bytes], *, zip64: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=zip64) as file:
                file.write(content)
    return buffer.getvalue()


@pytest.mark.parametrize("zip64", [False, True])
def test_files_of_an_ordinary_zip_arrive(unpacker, zip64):
    files = {"main.py": b"print()\n", "lib/données.txt": b"x" * 5000, "lib/empty": b""}
    assert unpacker.unpack(made_by_zipfile(files, zip64=zip64)) == files


def test_a_zip_that_was_written_to_a_pipe_arrives(unpacker):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", b"print()\n" * 100)
    assert unpacker.unpack(bytes(pipe.content)) == {"main.py": b"print()\n" * 100}


def test_bytes_before_the_zip_do_not_matter(unpacker):
    # As in self-extracting archives; the kind is still told by the first bytes.
    content = zip_bytes(ZipMember(name=b"main.py"), prefix=b"PK\x00\x00some program")
    assert unpacker.unpack(content) == {"main.py": b"x"}


def test_a_comment_at_the_end_does_not_matter(unpacker):
    buffer = io.BytesIO(made_by_zipfile({"main.py": b"x"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"a comment of some length " * 40
    assert unpacker.unpack(buffer.getvalue()) == {"main.py": b"x"}


def test_a_single_top_folder_stays(unpacker):
    assert unpacker.unpack(made_by_zipfile({"repository-main/main.py": b"x"})) == {
        "repository-main/main.py": b"x"
    }


def test_only_the_executable_bit_of_a_mode_stays(unpacker):
    set_uid = stat.S_IFREG | 0o6777
    unpacker.unpack(
        zip_bytes(ZipMember(name=b"run", mode=set_uid), ZipMember(name=b"read", mode=0o100400))
    )
    assert stat.S_IMODE((unpacker.source / "run").stat().st_mode) & 0o7700 == 0o700
    assert stat.S_IMODE((unpacker.source / "read").stat().st_mode) & 0o7700 == 0o600


@pytest.mark.parametrize(
    ("member", "message"),
    [
        pytest.param(
            ZipMember(name=b"link", content=b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
            "link or a device",
            id="symbolic link",
        ),
        pytest.param(ZipMember(name=b"fifo", mode=stat.S_IFIFO | 0o644), "device", id="fifo"),
        pytest.param(ZipMember(name=b"device", mode=stat.S_IFBLK | 0o644), "device", id="device"),
        pytest.param(ZipMember(name=b"caf\xe9.py"), "not UTF-8", id="latin-1 name"),
        pytest.param(ZipMember(name=b"a\0b"), "control characters", id="zero byte in the name"),
        pytest.param(ZipMember(name=b""), "empty", id="empty name"),
        pytest.param(
            ZipMember(name=b"main.py", local_name=b"evil.py"), "two different names", id="two names"
        ),
        pytest.param(
            ZipMember(name=b"a", content=b"y" * 999, stated_size=3), "larger than", id="lying size"
        ),
    ],
)
def test_an_unsafe_member_is_refused(unpacker, member, message):
    error = unpacker.refusal(zip_bytes(ZipMember(name=b"first.py"), member))
    assert error.reason == "UnsafeArchive"
    assert message in error.message


@pytest.mark.parametrize(
    ("member", "message"),
    [
        pytest.param(ZipMember(name=b"a", flags=1), "encrypted", id="encrypted"),
        pytest.param(ZipMember(name=b"a", method=12), "method 12", id="bzip2"),
        pytest.param(ZipMember(name=b"a", stated_size=9), "damaged", id="shorter than stated"),
        pytest.param(ZipMember(name=b"a", packed=b"\xff\xff"), "damaged", id="no deflate stream"),
        pytest.param(
            ZipMember(name=b"a", content=b"", packed=zlib.compress(b"", wbits=-15)[:0]),
            "cut off",
            id="empty stream",
        ),
    ],
)
def test_a_member_that_cannot_be_read_is_refused(unpacker, member, message):
    error = unpacker.refusal(zip_bytes(member))
    assert error.reason == "InvalidArchive"
    assert message in error.message


def test_the_checksum_of_a_member_is_checked(unpacker):
    content = zip_bytes(ZipMember(name=b"a", content=b"hello", method=0))
    error = unpacker.refusal(content.replace(b"hello", b"jello"))
    assert error.reason == "InvalidArchive"
    assert "checksum" in error.message


def test_overlapping_members_are_refused(unpacker):
    # As in a zip bomb without nesting: many entries quote one stream.
    one = zip_bytes(ZipMember(name=b"a", content=b"z" * 200, method=0))
    start = one.index(b"PK\x01\x02")
    entry, end = one[start:-22], bytearray(one[-22:])
    entries = b"".join(entry.replace(b"a", bytes([letter])) for letter in b"abcdefgh")
    end[8:12] = (8).to_bytes(2, "little") * 2
    end[12:16] = len(entries).to_bytes(4, "little")
    error = unpacker.refusal(one[:start] + entries + bytes(end))
    assert error.reason == "UnsafeArchive"
    assert "overlap" in error.message


@pytest.mark.parametrize("cut", [1, 10, 30, 60, 90])
def test_a_cut_off_zip_is_refused(unpacker, cut):
    content = zip_bytes(ZipMember(name=b"main.py", content=bytes(range(256)), method=0))
    assert unpacker.refusal(content[:-cut]).reason == "InvalidArchive"


def test_a_count_that_lies_is_refused(unpacker):
    members = [ZipMember(name=b"%d" % number) for number in range(60)]
    error = unpacker.refusal(zip_bytes(*members, stated_count=3))
    assert error.reason == "SourceTooLarge"
    assert "50" in error.message


def test_members_beyond_the_limit_are_refused(unpacker):
    members = [ZipMember(name=b"%d" % number) for number in range(51)]
    assert unpacker.refusal(zip_bytes(*members)).reason == "SourceTooLarge"


def test_a_stated_total_over_the_limit_is_refused_before_anything_is_written(unpacker):
    members = [ZipMember(name=b"%d" % number, stated_size=60_000) for number in range(2)]
    assert unpacker.refusal(zip_bytes(*members)).reason == "SourceTooLarge"


def test_a_zip_with_all_its_numbers_in_zip64_arrives(unpacker):
    content = zip64_bytes(ZipMember(name=b"main.py", content=b"hello"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("main.py") == b"hello"
    assert unpacker.unpack(content) == {"main.py": b"hello"}


@pytest.mark.parametrize("damage", [{"fields": 2}, {"fields": 0}, {"record": b"PK\0\0"}])
def test_a_damaged_zip64_record_is_refused(unpacker, damage):
    content = zip64_bytes(ZipMember(name=b"main.py"), **damage)
    assert unpacker.refusal(content).reason == "InvalidArchive"


def test_one_part_of_several_is_refused(unpacker):
    content = bytearray(zip_bytes(ZipMember(name=b"main.py")))
    content[-18] = 1
    error = unpacker.refusal(bytes(content))
    assert "one part of several" in error.message


def test_a_zip_without_files_is_refused(unpacker):
    assert unpacker.refusal(zip_bytes()).reason == "InvalidArchive"
