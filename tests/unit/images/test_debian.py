"""Files of Debian packages, in the places that an image has them."""

from __future__ import annotations

import io
import tarfile

import pytest

from images.debian import Package, merged, packages_of, unpack_archive

LISTED = """
'http://mirror.invalid/pool/z/zlib1g_1.2.13%2bdfsg-1_amd64.deb' zlib1g_1%3a1.2.13.dfsg-1_amd64.deb 86684 MD5Sum:0
'http://mirror.invalid/pool/t/tzdata_2026f_all.deb' tzdata_2026f-0+deb12u1_all.deb 1 SHA256:0
"""  # noqa: E501 - as apt prints it


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("./", ""),
        ("./lib/", ""),
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./usr/bin/python3.11", "usr/bin/python3.11"),
        ("./etc/services", "etc/services"),
    ],
)
def test_programs_and_libraries_are_below_usr(name, expected):
    assert merged(name) == expected


def test_a_path_that_leaves_the_root_is_refused():
    with pytest.raises(SystemExit):
        merged("./usr/../../etc/passwd")


def test_versions_are_read_as_apt_takes_them_back():
    assert packages_of(LISTED) == [
        Package("zlib1g", "1:1.2.13.dfsg-1"),
        Package("tzdata", "2026f-0+deb12u1"),
    ]


def archive(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (kind, content) in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.mode = kind, 0o4755
            if kind == tarfile.REGTYPE:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))
            else:
                member.linkname = content
                tar.addfile(member)
    buffer.seek(0)
    return buffer


def test_manuals_tests_and_state_stay_outside_licenses_come_along(tmp_path):
    kept = ["usr/share/doc/libc6/copyright", "usr/lib/python3.11/json/__init__.py", "bin/dash"]
    dropped = ["usr/share/man/man1/x", "usr/share/doc/libc6/changelog", "var/lib/dpkg/status"]
    dropped += ["usr/lib/python3.11/test/x.py", "usr/share/locale/de/x", "usr/lib/python3/x"]
    unpack_archive(archive(**dict.fromkeys(kept + dropped, (tarfile.REGTYPE, "x"))), tmp_path)
    found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {*kept[:2], "usr/bin/dash"}


def test_links_stay_and_set_user_id_goes(tmp_path):
    files = {
        "usr/bin/a": (tarfile.REGTYPE, "text"),
        "usr/bin/hard": (tarfile.LNKTYPE, "./usr/bin/a"),
        "usr/bin/soft": (tarfile.SYMTYPE, "../share/a"),
    }
    unpack_archive(archive(**files), tmp_path)
    assert (tmp_path / "usr/bin/hard").read_text() == "text"
    assert (tmp_path / "usr/bin/a").stat().st_mode & 0o7777 == 0o755
    assert str((tmp_path / "usr/bin/soft").readlink()) == "../share/a"


def test_links_lead_into_the_image_wherever_its_files_are(tmp_path):
    files = {
        "etc/settings": (tarfile.REGTYPE, "of the image"),
        "lib/x/to_settings": (tarfile.SYMTYPE, "/etc/settings"),
        "lib/x/to_program": (tarfile.SYMTYPE, "/bin/program"),
        "bin/program": (tarfile.REGTYPE, "a program"),
    }
    unpack_archive(archive(**files), tmp_path)
    assert (tmp_path / "usr/lib/x/to_settings").read_text() == "of the image"
    assert (tmp_path / "usr/lib/x/to_program").read_text() == "a program"
