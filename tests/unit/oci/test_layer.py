"""Layers are deterministic and hold nothing but files, folders and safe links."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_oci.errors import ContentError
from lambda_oci.layer import write_layer
from tests.helpers.workspaces import write_files


def members(layer):
    with tarfile.open(layer.file) as tar:
        return tar.getmembers()


def test_the_same_files_give_the_same_layer_whatever_their_order_times_and_modes(tmp_path):
    names = ["b.py", "a/z.py", "a/b/c.py", "a.py"]
    first = write_files(tmp_path / "1", {name: name for name in names})
    second = write_files(tmp_path / "2", {name: name for name in reversed(names)})
    for name in names:
        os.utime(second / name, (1, 1))
        (second / name).chmod(0o600)
    layers = [
        write_layer([("function/source", folder)], folder.with_suffix(".layer"))
        for folder in (first, second)
    ]
    assert layers[0].descriptor == layers[1].descriptor
    assert layers[0].diff_id == layers[1].diff_id


def test_nothing_of_the_machine_is_in_a_layer(tmp_path):
    folder = write_files(tmp_path / "source", {"main.py": "x"})
    (folder / "run.sh").write_text("#!/bin/sh")
    (folder / "run.sh").chmod(0o700)
    found = members(write_layer([("function/source", folder)], tmp_path / "layer"))
    assert [(member.name, member.mode) for member in found] == [
        ("function", 0o755),
        ("function/source", 0o755),
        ("function/source/main.py", 0o644),
        ("function/source/run.sh", 0o755),
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found} == {(0, 0, "", "", 0)}


def test_a_layer_says_its_digests_and_size(tmp_path):
    folder = write_files(tmp_path / "source", {"main.py": "x" * 9999})
    layer = write_layer([("function/source", folder)], tmp_path / "layer")
    content = layer.file.read_bytes()
    assert layer.descriptor.size == len(content)
    assert layer.descriptor.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(content)).hexdigest()}"


def test_links_inside_the_folder_stay(tmp_path):
    folder = write_files(tmp_path / "modules", {"tool/cli.js": "x", ".bin/keep": ""})
    (folder / ".bin/tool").symlink_to("../tool/cli.js")
    found = members(write_layer([("function/node_modules", folder)], tmp_path / "layer"))
    assert [m.linkname for m in found if m.issym()] == ["../tool/cli.js"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../sibling", ".."])
def test_links_that_lead_out_are_refused(tmp_path, target):
    folder = write_files(tmp_path / "packages", {"a": "x"})
    (folder / "link").symlink_to(target)
    with pytest.raises(ContentError) as caught:
        write_layer([("function/packages", folder)], tmp_path / "layer")
    assert caught.value.reason == "UnsupportedFile"
    assert "function/packages/link" in caught.value.message


def test_pipes_and_sockets_are_refused_and_not_read(tmp_path):
    folder = write_files(tmp_path / "packages", {"a": "x"})
    os.mkfifo(folder / "pipe")
    with pytest.raises(ContentError, match="not a file, folder or link"):
        write_layer([("function/packages", folder)], tmp_path / "layer")
    (folder / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        with pytest.raises(ContentError, match="not a file, folder or link"):
            write_layer([("function/packages", folder)], tmp_path / "layer")


def test_names_that_are_not_utf8_are_refused(tmp_path):
    folder = write_files(tmp_path / "packages", {"a": "x"})
    (folder / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(ContentError, match="not UTF-8"):
        write_layer([("function/packages", folder)], tmp_path / "layer")


@pytest.mark.parametrize("name", [".wh.main.py", "a/.wh.b", ".wh.a/b", "a/.wh..wh..opq"])
def test_names_that_would_remove_files_of_the_base_are_refused(tmp_path, name):
    folder = write_files(tmp_path / "packages", {"a/c": "x", name: ""})
    with pytest.raises(ContentError, match=r"begins with \.wh\.") as caught:
        write_layer([("function/packages", folder)], tmp_path / "layer")
    assert caught.value.reason == "UnsupportedFile"


def test_folders_that_are_too_deep_are_refused(tmp_path):
    folder = tmp_path / "packages"
    (folder / "/".join("d" * 300)).mkdir(parents=True)
    with pytest.raises(ContentError, match="too deep"):
        write_layer([("function/packages", folder)], tmp_path / "layer")


@given(
    files=st.dictionaries(
        st.text("abcé-_. ", min_size=1, max_size=120).filter(lambda name: name.strip(". ")),
        st.binary(max_size=50),
        max_size=6,
    )
)
def test_a_layer_holds_the_very_files(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("layer")
    (folder / "source").mkdir()
    for name, content in files.items():
        (folder / "source" / name).write_bytes(content)
    layer = write_layer([("function/source", folder / "source")], folder / "layer")
    with tarfile.open(layer.file) as tar:
        found = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isreg()}
    assert found == {f"function/source/{name}": content for name, content in files.items()}
