"""What a hostile git server can describe as a commit."""

from __future__ import annotations

import hashlib
import io

import pytest

from knative_lambda.adapters.hosted_sources.git_pack import Bounds, GitObjects
from knative_lambda.adapters.hosted_sources.git_tree import GitTree
from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    UnsupportedSourceError,
)

FILE, PROGRAM, FOLDER = b"100644", b"100755", b"40000"


class World:
    def __init__(self):
        bounds = Bounds(max_bytes=10**8, max_objects=10**6, check_time=lambda: None)
        self.objects = GitObjects(io.BytesIO(), bounds)

    def put(self, kind, content):
        self.objects.add(kind, len(content), iter([content] if content else []))
        return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content)).digest()

    def blob(self, content=b"x"):
        return self.put("blob", content)

    def tree(self, *entries):
        content = b"".join(b"%b %b\0%b" % entry for entry in entries)
        return self.put("tree", content)

    def commit(self, tree):
        return self.put("commit", b"tree %b\nauthor a\n\nm" % tree.hex().encode()).hex()

    def files(self, commit, path="", **bounds):
        tree = GitTree(self.objects, **({"max_files": 100, "max_bytes": 1000} | bounds))
        return {file.path: file.content for file in tree.files(tree.commit(commit), path)}

    def files_of(self, *entries):
        return self.files(self.commit(self.tree(*entries)))


def test_a_tag_of_a_tag_is_the_commit_of_both():
    world = World()
    commit = world.commit(world.tree((FILE, b"a", world.blob())))
    named = commit.encode()
    kind = b"commit"
    for _ in range(2):
        tag = world.put("tag", b"object %b\ntype %b\ntag v\n" % (named, kind))
        named, kind = tag.hex().encode(), b"tag"
    assert GitTree(world.objects, max_files=1, max_bytes=1).commit(named.decode()) == commit


@pytest.mark.parametrize("kind", ["blob", "tree"])
def test_a_ref_of_something_else_is_refused(kind):
    world = World()
    with pytest.raises(UnsupportedSourceError, match="that is no commit"):
        world.files(world.put(kind, b"").hex())


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc/passwd", b"../x"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    world = World()
    with pytest.raises(UnsupportedSourceError, match="a name is no name"):
        world.files_of((FILE, name, world.blob()))


def test_a_name_that_is_no_text_is_refused():
    world = World()
    with pytest.raises(UnsupportedSourceError, match="is not UTF-8"):
        world.files_of((FILE, b"\xff", world.blob()))


def test_a_name_that_is_there_twice_is_refused():
    world = World()
    with pytest.raises(UnsupportedSourceError, match="a name twice"):
        world.files_of((FILE, b"a", world.blob()), (FOLDER, b"a", world.tree()))


@pytest.mark.parametrize("mode", [b"120000", b"160000"])
def test_a_link_or_a_submodule_is_refused_whatever_it_refers_to(mode):
    world = World()
    with pytest.raises(UnsupportedSourceError, match="which no source can have"):
        world.files_of((mode, b"a", world.blob(b"/etc/passwd")))


@pytest.mark.parametrize("mode", [b"20000", b"0", b"-1", b"", b"x", b"100644x", b"060644"])
def test_a_mode_that_is_none_is_refused(mode):
    world = World()
    with pytest.raises(UnsupportedSourceError, match="damaged"):
        world.files_of((mode, b"a", world.blob()))


def test_a_file_that_is_a_folder_and_a_folder_that_is_a_file_are_refused():
    world = World()
    for mode, object_id in ((FILE, world.tree()), (FOLDER, world.blob())):
        with pytest.raises(UnsupportedSourceError, match="is none"):
            world.files_of((mode, b"a", object_id))


def test_an_object_that_the_host_kept_back_is_told():
    world = World()
    with pytest.raises(UnsupportedSourceError, match="an object of the commit is missing"):
        world.files_of((FILE, b"a", b"\0" * 20))
    with pytest.raises(UnsupportedSourceError, match="an object of the commit is missing"):
        world.files("1" * 40)


def test_a_folder_that_is_cut_off_is_told():
    world = World()
    for content in (b"100644 a", b"100644 a\0short"):
        with pytest.raises(UnsupportedSourceError, match="cut off"):
            world.files(world.commit(world.put("tree", content)))


def test_folders_without_a_file_are_no_source():
    world = World()
    with pytest.raises(SourceNotFoundError, match="no file is in the repository"):
        world.files_of((FOLDER, b"a", world.tree()))


def test_folders_in_folders_without_end_are_refused():
    """No file is among them, so that the number of files alone would not stop it."""
    world = World()
    inside = world.tree()
    for _ in range(12):
        inside = world.tree(*((FOLDER, b"%d" % number, inside) for number in range(10)))
    with pytest.raises(LimitExceededError, match="over 100 files and folders"):
        world.files(world.commit(inside))


def test_a_path_that_is_too_long_is_refused():
    world = World()
    inside = world.tree((FILE, b"x", world.blob()))
    for _ in range(20):
        inside = world.tree((FOLDER, b"n" * 250, inside))
    with pytest.raises(UnsupportedSourceError, match="a path of over 4096 characters"):
        world.files(world.commit(inside))


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    world = World()
    with pytest.raises(LimitExceededError, match="'a' is over 1000 bytes"):
        world.files_of((FILE, b"a", world.blob(b"x" * 1001)))
