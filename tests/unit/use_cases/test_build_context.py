import hashlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceAccessDeniedError,
    SourceMismatchError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from knative_lambda.domain.hosted_source import SourceFile
from knative_lambda.domain.lambda_function import Source
from tests.helpers.control_plane import HELLO, ControlPlane


def pack(world, **source):
    target = io.BytesIO()
    packed = world.start_build.prepare.packer.pack(HELLO, Source.model_validate(source), target)
    assert target.tell() == 0
    return packed.sha256, target.getvalue()


def names(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {entry.name: entry for entry in tar.getmembers()}


def test_equal_sources_are_equal_bytes_whatever_their_order():
    world = ControlPlane()
    one = pack(world, inline={"a.py": "1", "b/c.py": "2"})
    other = pack(world, inline={"b/c.py": "2", "a.py": "1"})
    assert one == other


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,3}\.py", fullmatch=True), st.text(), min_size=1),
    st.dictionaries(st.from_regex(r"[a-z]{1,3}\.py", fullmatch=True), st.text(), min_size=1),
)
def test_different_sources_are_different_bytes(one, other):
    world = ControlPlane()
    assert (pack(world, inline=one) == pack(world, inline=other)) == (one == other)


def test_nothing_of_the_machine_or_the_hour_is_in_a_context():
    _, content = pack(ControlPlane(), inline={"a/b.py": "x"})
    (entry,) = names(content).values()
    assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", "")


def test_files_that_are_too_large_together_are_refused():
    world = ControlPlane()
    for name in "ab":
        world.put_source(f"s3://sources/default/p/{name}", b"x" * 60_000)
    with pytest.raises(LimitExceededError):
        pack(world, uri="s3://sources/default/p/")


def test_text_that_is_too_large_is_refused():
    with pytest.raises(LimitExceededError, match="over 100000 bytes"):
        pack(ControlPlane(), inline={"a": "x" * 60_000, "b": "x" * 60_000})


def test_too_many_files_are_refused():
    world = ControlPlane()
    for number in range(101):
        world.put_source(f"s3://sources/default/p/{number}", b"")
    with pytest.raises(LimitExceededError):
        pack(world, uri="s3://sources/default/p/")


@pytest.mark.parametrize("name", ["greet.py", "greet.js", "greet.mjs", "greet.cjs", "my.greet.py"])
def test_one_file_of_code_is_a_source_of_that_file(name):
    world = ControlPlane()
    world.put_source(f"s3://sources/default/{name}", b"code")
    _, content = pack(world, uri=f"s3://sources/default/{name}")
    assert list(names(content)) == [name]


@pytest.mark.parametrize(
    "name",
    ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.tar.bz2", "a.tar.zst", "a.7z", "a.rar",
     "notes.txt", "error.html", "0f3a", "py", "main.PY", "main.py.gz"],
)  # fmt: skip
def test_any_other_object_is_passed_on_unread_for_the_build_to_judge(name):
    world = ControlPlane()
    world.put_source(f"s3://sources/default/{name}", b"\xfd7zXZ\0...")
    _, content = pack(world, uri=f"s3://sources/default/{name}")
    assert content == b"\xfd7zXZ\0..."


@pytest.mark.parametrize(
    "uri",
    [
        "s3://sources/defaults/code.zip",
        "s3://sources/default",
        "s3://SOURCES/default/code.zip",
        "file:///etc/passwd",
        "http://example.com/code.zip",
        "ssh://git@example.com/code",
        "git+ssh://example.com/code",
        "git://example.com/code",
        "HTTPS://example.com/code.zip",
        "no uri",
        " s3://sources/default/code.zip",
    ],
)
def test_a_place_that_is_not_the_tenants_is_refused_before_it_is_read(uri):
    with pytest.raises(UnsupportedSourceError) as refused:
        pack(ControlPlane(), uri=uri)
    assert refused.value.field == "source.uri"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://sources/default/../other/code.zip",
        "s3://sources/default/./",
        "s3://sources/default/a\x00b",
        "s3://sources/default/a\nb/",
        "s3://sources/default/" + "k" * 1100,
    ],
)
def test_a_key_that_no_storage_takes_is_refused_with_its_field(uri):
    with pytest.raises(UnsupportedSourceError) as refused:
        ControlPlane().start(source={"uri": uri})
    assert refused.value.field == "source.uri"


def test_a_pasted_signature_is_not_repeated():
    with pytest.raises(SourceNotFoundError) as refused:
        pack(ControlPlane(), uri="s3://sources/default/p/?X-Amz-Signature=hunter2/")
    assert "hunter2" not in refused.value.message


def test_a_missing_source_is_refused_with_its_field():
    with pytest.raises(SourceNotFoundError) as refused:
        ControlPlane().start(source={"uri": "s3://sources/default/gone.zip"})
    assert refused.value.field == "source.uri"


ARCHIVE = b"\xfd7zXZ\0..."
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


def put(world, name, content):
    uri = f"s3://sources/default/{name}"
    world.put_source(uri, content)
    return uri


@pytest.mark.parametrize("name", ["code.zip", "main.py"])
def test_an_object_of_the_named_hash_is_a_source(name):
    world = ControlPlane()
    named = pack(world, uri=put(world, name, ARCHIVE), sha256=SHA256)
    assert named == pack(world, uri=put(world, name, ARCHIVE))


@pytest.mark.parametrize("name", ["code.zip", "main.py"])
def test_an_object_of_another_hash_is_refused_before_anything_is_recorded(name):
    world = ControlPlane()
    uri = put(world, name, ARCHIVE + b"changed")
    with pytest.raises(SourceMismatchError, match=r"^source\.sha256 is not") as refused:
        world.start(source={"uri": uri, "sha256": SHA256})
    assert refused.value.field == "source.sha256"
    assert world.records.get(HELLO) is None


def test_an_archive_on_a_host_is_passed_on_unread():
    world = ControlPlane()
    world.hosted.objects["https://example.com/a.zip"] = ARCHIVE
    _, content = pack(world, uri="https://example.com/a.zip", sha256=SHA256)
    assert content == ARCHIVE


def test_an_archive_on_a_host_that_has_changed_is_refused():
    world = ControlPlane()
    world.hosted.objects["https://example.com/a.zip"] = ARCHIVE + b"changed"
    with pytest.raises(SourceMismatchError):
        pack(world, uri="https://example.com/a.zip", sha256=SHA256)


def test_a_repository_is_a_source_of_its_files_and_the_record_names_its_commit():
    world = ControlPlane()
    uri = "git+https://example.com/team/code@main#functions/hello"
    files = [SourceFile("bin/run.py", b"#!python", is_executable=True), SourceFile("main.py", b"")]
    world.hosted.commits[uri] = "c" * 40, files
    _, content = pack(world, uri=uri)
    assert {name: entry.mode & 0o111 for name, entry in names(content).items()} == {
        "bin/run.py": 0o111,
        "main.py": 0,
    }
    world.start(source={"uri": uri})
    assert world.records.get(HELLO).status.build.source_commit == "c" * 40


def test_a_commit_of_the_same_files_needs_no_other_build():
    world = ControlPlane()
    uri = "git+https://example.com/team/code"
    builds = []
    for commit in "ab":
        world.hosted.commits[uri] = commit * 40, [SourceFile("main.py", b"")]
        world.start(source={"uri": uri})
        builds.append(world.records.get(HELLO).status.build)
    one, other = builds
    assert (one.id, one.source_commit) != (other.id, other.source_commit)
    assert one.id == other.id


@pytest.mark.parametrize("uri", ["https://example.com/a.zip", "git+https://example.com/team/code"])
def test_a_source_is_opened_by_the_secret_that_it_names(uri):
    world = ControlPlane()
    world.hosted.objects["https://example.com/a.zip"] = ARCHIVE
    world.hosted.commits["git+https://example.com/team/code"] = "c" * 40, [SourceFile("a.py", b"")]
    world.hosted.secrets[uri] = "deploy-token"
    source = {"uri": uri} if uri.startswith("git") else {"uri": uri, "sha256": SHA256}
    with pytest.raises(SourceAccessDeniedError):
        pack(world, **source)
    pack(world, **source, secretRef={"name": "deploy-token"})


def test_files_of_a_repository_that_are_too_large_together_are_refused():
    world = ControlPlane()
    uri = "git+https://example.com/team/code"
    world.hosted.commits[uri] = "c" * 40, [SourceFile(name, b"x" * 60_000) for name in "ab"]
    with pytest.raises(LimitExceededError, match="over 100000 bytes"):
        pack(world, uri=uri)
