"""Archives made to exhaust a machine are refused in bounded memory, disk and time."""

from __future__ import annotations

import hashlib
import resource
import struct
import subprocess
import sys

import pytest

from tests.helpers.archives import (
    ZipMember,
    gzipped,
    raw_tar_header,
    repeated,
    zip_bytes,
)
from tests.helpers.builder_programs import assert_failed, run
from tests.integration.builder.helpers.jobs import job_settings

MEBIBYTE = 1 << 20
LIMIT_BYTES = 64 * MEBIBYTE
TEN_GIBIBYTES = 10 * 1024
SECONDS = 20


def lying_zip():
    """10 GiB of zeros in an entry that says it holds 1000 bytes."""
    packed = repeated(bytes(MEBIBYTE), TEN_GIBIBYTES, -15)
    return zip_bytes(ZipMember(name=b"bomb", packed=packed, stated_size=1000))


def honest_zip():
    """10 GiB of zeros, stated as nearly 4 GiB: all that fits."""
    packed = repeated(bytes(MEBIBYTE), TEN_GIBIBYTES, -15)
    return zip_bytes(ZipMember(name=b"bomb", packed=packed, stated_size=0xFFFFFFFE))


def tar_gz_of_zeros():
    """One file of 8 GiB that compresses a thousandfold."""
    header = raw_tar_header(b"bomb", size=8**11 - 1)
    return gzipped(header) + repeated(bytes(MEBIBYTE), TEN_GIBIBYTES, 31)


def tar_gz_of_headers():
    """A pax header that says it is 8 GiB long."""
    return gzipped(raw_tar_header(b"pax", size=8**11 - 1, kind=b"x")) + repeated(
        bytes(MEBIBYTE), 1024, 31
    )


def million_entry_zip():
    """1,000,000 files, stated as they are: in zip64."""
    return _zip_of_entries(1_000_000, stated=1_000_000)


def million_entry_zip_that_lies():
    """1,000,000 files in an archive that says it holds one."""
    return _zip_of_entries(1_000_000, stated=1)


def _zip_of_entries(count: int, *, stated: int) -> bytes:
    one = zip_bytes(ZipMember(name=b"0000000", content=b"", method=0))
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[start : start + 46]
    directory = b"".join(entry + b"%07d" % number for number in range(count))
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, stated, stated, 0, 0)
    end64 = end64[:40] + struct.pack("<2Q", len(directory), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(directory), 1)
    return one[:start] + directory + end64 + locator + one[end:]


def million_entry_tar_gz():
    """1,000,000 empty files."""
    headers = b"".join(raw_tar_header(b"%07d" % number) for number in range(20_000))
    return repeated(headers, 50, 31)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lying_zip, "UnsafeArchive"),
        (honest_zip, "SourceTooLarge"),
        (tar_gz_of_zeros, "SourceTooLarge"),
        (tar_gz_of_headers, "SourceTooLarge"),
        (million_entry_zip, "SourceTooLarge"),
        (million_entry_zip_that_lies, "SourceTooLarge"),
        (million_entry_tar_gz, "SourceTooLarge"),
    ],
)
def test_a_bomb_is_refused_within_bounds(tmp_path, make, reason):
    content = make()
    values = job_settings(tmp_path, "") | {
        "CONTEXT_URL": f"file://{tmp_path}/context",
        "CONTEXT_SHA256": hashlib.sha256(content).hexdigest(),
        "CONTEXT_MAX_BYTES": str(128 * MEBIBYTE),
        "SOURCE_MAX_BYTES": str(LIMIT_BYTES),
        "SOURCE_MAX_FILES": "10000",
    }
    (tmp_path / "context").write_bytes(content)
    ended = run("packages", tmp_path, values, preexec_fn=_bound_memory_files_and_time)
    assert_failed(ended, 1, reason)
    assert list((tmp_path / "workspace").iterdir()) == []


def _bound_memory_files_and_time():
    # The kernel would kill a process that goes beyond, which the test would see.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (128 * MEBIBYTE, 128 * MEBIBYTE))
    resource.setrlimit(resource.RLIMIT_AS, (256 * MEBIBYTE, 256 * MEBIBYTE))


def test_the_largest_allowed_source_fits_into_little_memory(tmp_path):
    """Peak memory depends on the number of files, not on their sizes."""
    packed = repeated(bytes(MEBIBYTE), 60, -15)
    member = ZipMember(name=b"big", packed=packed, content=bytes(60 * MEBIBYTE))
    (tmp_path / "context").write_bytes(zip_bytes(member))
    script = (
        "from pathlib import Path\n"
        "from lambda_oci import archive\n"
        "limits = archive.Limits(max_bytes=1 << 26, max_entries=10, max_ratio=10000)\n"
        "archive.unpack(Path('context'), Path('source'), limits)\n"
        # Unlike getrusage's, this peak starts anew with the program.
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (tmp_path / "source/big").stat().st_size == 60 * MEBIBYTE
    assert int(done.stdout) < 40 * 1024
