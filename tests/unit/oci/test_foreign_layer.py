"""What a build leaves becomes the layer that its folders would, or is refused."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_oci.archive import Limits
from lambda_oci.errors import ContentError
from lambda_oci.foreign_layer import write_foreign_layer
from lambda_oci.layer import write_archive, write_layer
from tests.helpers.archives import raw_tar_header, tar_bytes, tar_member
from tests.helpers.workspaces import write_files

LIMITS = Limits(max_bytes=1 << 20, max_entries=200, max_path_bytes=2000)
FOLDER = tar_member("packages", b"", type=tarfile.DIRTYPE)


def folder(name):
    return tar_member(name, b"", type=tarfile.DIRTYPE)


def link(name, target):
    return tar_member(name, b"", type=tarfile.SYMTYPE, linkname=target)


def read(content, target, limits=LIMITS):
    return write_foreign_layer(
        io.BytesIO(content),
        target / "foreign",
        below="function",
        folder="packages",
        beside="lock.txt",
        limits=limits,
    )


def refusal(content, target, limits=LIMITS):
    with pytest.raises(ContentError) as caught:
        read(content, target, limits)
    assert len(caught.value.message) < 500
    return caught.value


def packed(root, max_bytes=1 << 20):
    contents = [(name, root / name) for name in ("packages", "lock.txt") if (root / name).exists()]
    write_archive(contents, root / "archive", max_bytes=max_bytes)
    return (root / "archive").read_bytes()


def test_it_is_the_layer_that_the_folders_would_be(tmp_path):
    names = ["a/b.py", "a.py", "a-b/c.py", "é/ü.py", "z" * 120 + "/" + "y" * 130]
    write_files(tmp_path, {f"packages/{name}": name * 999 for name in names} | {"lock.txt": "p"})
    (tmp_path / "packages/tool").write_text("#!/bin/sh")
    (tmp_path / "packages/tool").chmod(0o4755)
    (tmp_path / "packages/a/link").symlink_to("../" + "z" * 120 + "/" + "y" * 130)
    (tmp_path / "packages/empty").mkdir()
    expected = write_layer(
        [
            ("function/packages", tmp_path / "packages"),
            ("function/lock.txt", tmp_path / "lock.txt"),
        ],
        tmp_path / "expected",
    )
    found = read(packed(tmp_path), tmp_path)
    assert (found.descriptor, found.diff_id) == (expected.descriptor, expected.diff_id)
    assert found.file.read_bytes() == expected.file.read_bytes()


@given(
    files=st.dictionaries(
        st.text("aB.-_é/", min_size=1, max_size=40).filter(
            lambda name: all(part.strip(".") for part in name.split("/"))
        ),
        st.binary(max_size=2000),
        min_size=1,
        max_size=8,
    )
)
def test_every_folder_of_packages_can_be_read_back(tmp_path_factory, files):
    root = tmp_path_factory.mktemp("packages")
    kept = {}
    for name, content in files.items():
        path = root / "packages" / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:
            continue  # a name is that of a file and of a folder
        kept[f"function/packages/{name}"] = content
    layer = read(packed(root), root)
    with tarfile.open(layer.file) as tar:
        found = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isreg()}
    assert found == kept


@pytest.mark.parametrize(
    "content", [tar_bytes(), tar_bytes(FOLDER), tar_bytes(tar_member("lock.txt"), FOLDER)]
)
def test_without_packages_there_is_no_layer(tmp_path, content):
    assert read(content, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "names",
    [
        ["packages/../evil"],
        ["packages/a/../../../evil"],
        ["packages//a"],
        ["packages/./a"],
        ["packages/.wh.main.py"],
        ["packages/.wh.a/b"],
        ["packages/" + "n" * 256],
        ["packages/" + "/".join("n" * 1500)],
    ],
    ids=lambda names: names[0][:30],
)
def test_names_that_no_layer_may_have_are_refused(tmp_path, names):
    content = tar_bytes(FOLDER, *(tar_member(name) for name in names))
    assert refusal(content, tmp_path).reason == "UnsupportedFile"


@pytest.mark.parametrize(
    "members",
    [
        [tar_member("/etc/passwd")],
        [tar_member("other.txt")],
        [tar_member("source/main.py")],
        [tar_member("packages")],
        [link("packages", "source")],
        [folder("lock.txt")],
        [tar_member("packages/a")],
        [FOLDER, tar_member("packages/a/b")],
        [FOLDER, tar_member("packages/b"), tar_member("packages/a")],
        [FOLDER, tar_member("packages/a"), tar_member("packages/a")],
        [FOLDER, folder("packages/a"), folder("packages/a")],
        [FOLDER, tar_member("packages/a"), tar_member("packages/a/b")],
        [FOLDER, link("packages/a", "b"), tar_member("packages/a/b")],
        [FOLDER, folder("packages/a"), folder("packages/b"), tar_member("packages/a/c")],
    ],
    ids=lambda members: ", ".join(info.name for info, _ in members),
)
def test_what_no_build_leaves_is_refused(tmp_path, members):
    assert refusal(tar_bytes(*members), tmp_path).reason in {"InvalidPackages", "UnsupportedFile"}


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../../outside", "../sibling", "..", "", "a/../b", "b/c/../../../packages/x"],
)
def test_links_that_could_lead_out_are_refused(tmp_path, target):
    error = refusal(tar_bytes(FOLDER, link("packages/link", target)), tmp_path)
    assert error.reason == "UnsupportedFile"


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    assert refusal(tar_bytes(link("lock.txt", "packages/a")), tmp_path).reason == "UnsupportedFile"


@pytest.mark.parametrize("kind", [b"1", b"3", b"4", b"6", b"S", b"Z"])
def test_kinds_that_no_layer_may_have_are_refused(tmp_path, kind):
    content = raw_tar_header(b"packages/", kind=b"5", mode=b"0000755")
    content += raw_tar_header(b"packages/it", kind=kind) + bytes(1024)
    assert refusal(content, tmp_path).reason == "UnsupportedFile"


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755])
def test_modes_that_give_rights_are_refused(tmp_path, mode):
    content = tar_bytes(FOLDER, tar_member("packages/su", mode=mode))
    assert "mode" in refusal(content, tmp_path).message


def test_nothing_else_of_a_header_is_taken_over(tmp_path):
    odd = tar_member("packages/a", uid=5, gid=6, uname="x", gname="y", mtime=7, mode=0o666)
    with tarfile.open(read(tar_bytes(FOLDER, odd), tmp_path).file) as tar:
        found = tar.getmembers()[-1]
    assert (found.uid, found.gid, found.uname, found.gname, found.mtime) == (0, 0, "", "", 0)
    assert found.mode == 0o644


def test_sizes_and_counts_are_bounded_before_anything_is_read(tmp_path):
    stated = raw_tar_header(b"packages/", kind=b"5", mode=b"0000755")
    stated += raw_tar_header(b"packages/zeros", size=8**11 - 1)
    assert refusal(stated, tmp_path).reason == "PackagesTooLarge"
    many = tar_bytes(FOLDER, *(tar_member(f"packages/{number:04}") for number in range(300)))
    assert refusal(many, tmp_path).reason == "PackagesTooLarge"
    together = tar_bytes(FOLDER, *(tar_member(f"packages/{n}", bytes(400_000)) for n in range(3)))
    assert refusal(together, tmp_path).reason == "PackagesTooLarge"


@pytest.mark.parametrize("keep", [0, 100, 600, 1500, 1700])
def test_a_cut_off_archive_is_refused(tmp_path, keep):
    content = tar_bytes(FOLDER, tar_member("packages/a", b"y" * 700))
    assert refusal(content[:keep], tmp_path).reason == "InvalidPackages"


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no archive at all" * 100])
def test_what_is_no_tar_is_refused(tmp_path, content):
    assert refusal(content, tmp_path).reason == "InvalidPackages"


def test_names_that_are_not_utf8_are_refused(tmp_path):
    content = raw_tar_header(b"packages/", kind=b"5", mode=b"0000755")
    content += raw_tar_header(b"packages/caf\xe9") + bytes(1024)
    assert "UTF-8" in refusal(content, tmp_path).message


def test_an_archive_over_its_limit_is_not_written(tmp_path):
    write_files(tmp_path, {"packages/a": ""})
    with (tmp_path / "packages/a").open("wb") as sparse:
        sparse.truncate(10 << 30)
    with pytest.raises(ContentError) as caught:
        packed(tmp_path)
    assert caught.value.reason == "ArchiveTooLarge"
    assert (tmp_path / "archive").stat().st_size <= 1 << 20
