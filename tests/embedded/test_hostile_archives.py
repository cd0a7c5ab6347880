"""Archives that attack: a failed build with a clear reason, in bounded time, and no harm."""

from __future__ import annotations

import io
import json
import lzma
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.helpers.changing_folders import paths_below
from tests.helpers.http_client import post_event
from tests.helpers.lambda_platform import PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

HELLO = b"def handler(event):\n    return 'hello'\n"
MIB = 1024 * 1024


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", HELLO)
        for name, data in entries:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def tar_of(*entries: tarfile.TarInfo) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        hello = tarfile.TarInfo("main.py")
        hello.size = len(HELLO)
        archive.addfile(hello, io.BytesIO(HELLO))
        for entry in entries:
            archive.addfile(entry)
    return content.getvalue()


def zip_link(target: str) -> bytes:
    entry = zipfile.ZipInfo("link")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zip_of((entry, target.encode()))


def tar_entry(name: str, kind: bytes, target: str = "") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return tar_of(entry)


def zip_bomb() -> bytes:
    """About half a megabyte that would be 512 MiB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", HELLO)
        with archive.open("zeros", "w", force_zip64=True) as file:
            for _ in range(512):
                file.write(b"\0" * MIB)
    return content.getvalue()


# Ending, archive, what the person has to read.
ATTACKS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "dots": (".zip", lambda: zip_of(("../../escaped", b"x")), "../../escaped"),
    "absolute": (".zip", lambda: zip_of(("/tmp/escaped", b"x")), "/tmp/escaped"),
    "zip link": (".zip", lambda: zip_link("/etc/passwd"), "link"),
    "tar link": (".tar.gz", lambda: tar_entry("link", tarfile.SYMTYPE, "/etc"), "link"),
    "hard link": (".tar.gz", lambda: tar_entry("link", tarfile.LNKTYPE, "../../x"), "link"),
    "device": (".tar.gz", lambda: tar_entry("null", tarfile.CHRTYPE), "null"),
    "bomb": (".zip", zip_bomb, "larger than"),
    "many": (".zip", lambda: zip_of(*((f"f{n}", b"") for n in range(20_000))), "10000"),
    "no archive": (".zip", lambda: b"PK\x03\x04 and then nothing", "cut off"),
    "empty": (".zip", lambda: b"", "archive"),
    "removal": (".zip", lambda: zip_of((".wh.main.py", b"")), "begins with .wh."),
    "xz": (".tar.xz", lambda: lzma.compress(tar_of()), "a .xz file"),
    "7z": (".7z", lambda: b"7z\xbc\xaf\x27\x1c...", "a .7z archive"),
    "page": (".zip", lambda: b"<!doctype html><title>404</title>", "a web page"),
    "text": (".txt", lambda: b"def handler(event): ...", "no archive"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_archive_is_a_failed_build_with_a_reason(
    platform: EmbeddedPlatform, unique_name: str, attack: str
):
    ending, archive, expected = ATTACKS[attack]
    # The bucket of the tenant, as the person who may write to it has it.
    bucket = platform.home / "storage" / "sources" / "default"
    bucket.mkdir(parents=True, exist_ok=True)
    file = bucket / f"{unique_name}{ending}"
    file.write_bytes(archive())
    options = ("--name", unique_name, "--runtime", PYTHON, "--source", file.as_uri())

    done = platform.kn_lambda("deploy", *options, "-o", "json")

    assert done.returncode == 1, done.stdout
    document = json.loads(done.stdout)
    assert document["outcome"] == "failed"
    assert expected in document["message"], document
    assert document["reason"] in done.stderr
    assert "escaped" not in {path.name for path in paths_below(platform.home)}
    assert "zeros" not in {path.name for path in paths_below(platform.home / "builds")}
    platform.await_settled()
    assert platform.types(unique_name)[-1] == "build.failed.v1"


def test_an_archive_in_the_tenants_bucket_is_deployed(platform: EmbeddedPlatform, unique_name: str):
    bucket = platform.home / "storage" / "sources" / "default"
    bucket.mkdir(parents=True, exist_ok=True)
    for ending, content in ((".zip", zip_of()), (".tar.gz", tar_of()), (".py", HELLO)):
        file = bucket / f"{unique_name}{ending}"
        file.write_bytes(content)
        handler = unique_name if ending == ".py" else "main"
        url = platform.deploy(
            *("--name", f"{unique_name}-{ending[1:3]}", "--runtime", PYTHON),
            *("--source", file.as_uri(), "--handler", f"{handler}.handler"),
        )["url"]
        assert post_event(url, {}, type="t").data == "hello"
