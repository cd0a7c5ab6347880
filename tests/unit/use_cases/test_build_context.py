import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.errors import (
    LimitExceededError,
    SourceNotFoundError,
    UnsupportedSourceError,
)
from knative_lambda.domain.lambda_function import Source
from tests.helpers.control_plane import HELLO, ControlPlane


def pack(world, **source):
    target = io.BytesIO()
    digest = world.start_build.prepare.packer.pack(HELLO, Source.model_validate(source), target)
    assert target.tell() == 0
    return digest, target.getvalue()


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
        "https://example.com/code.zip",
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
