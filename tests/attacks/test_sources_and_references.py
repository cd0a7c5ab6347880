"""What a request names - a source, an image, a Secret - reaches nothing of anybody else."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from knative_lambda.domain.errors import PermanentError
from tests.helpers.archives import (
    ZipMember,
    gzipped,
    raw_tar_header,
    repeated,
    tar_bytes,
    tar_member,
    zip_bytes,
)

if TYPE_CHECKING:
    from tests.attacks.helpers.world import World

MAIN = {"main.py": "def handler(event): ..."}
DIGEST = "@sha256:" + "d" * 64
HELLO = tar_member("main.py", MAIN["main.py"].encode())
SIZES = {"SourceTooLarge", "UnsafeArchive", "InvalidArchive"}
UNSAFE = {"UnsafeArchive", "InvalidArchive"}


def member(name: str, kind: bytes, target: str = "") -> bytes:
    return gzipped(tar_bytes(HELLO, tar_member(name, b"", type=kind, linkname=target)))


SOURCES = {
    "dots": (lambda: gzipped(tar_bytes(HELLO, tar_member("../../evil"))), UNSAFE),
    "absolute": (lambda: zip_bytes(ZipMember(name=b"/etc/evil")), UNSAFE),
    "a link out": (lambda: member("link", tarfile.SYMTYPE, "/etc/passwd"), UNSAFE),
    "a hard link": (lambda: member("link", tarfile.LNKTYPE, "main.py"), UNSAFE),
    "a device": (lambda: member("null", tarfile.CHRTYPE), UNSAFE),
    "a whiteout": (
        lambda: zip_bytes(ZipMember(name=b"main.py"), ZipMember(name=b".wh.main.py")),
        {"UnsupportedFile", *UNSAFE},
    ),
    "a request that is a link": (
        lambda: member("requirements.txt", tarfile.SYMTYPE, "/run/secrets/password"),
        UNSAFE,
    ),
    "10 GB of zeros": (lambda: repeated(_ZEROS + bytes(10**6), 1000, 31), SIZES),
    "10 GB by its header": (
        lambda: gzipped(raw_tar_header(b"main.py", size=8**11 - 1) + bytes(1024)),
        SIZES,
    ),
    "headers that take hours to read": (
        lambda: repeated(_RECORDS, 30, 31),
        {"SourceTooLarge"},
    ),
    "no archive": (lambda: b"<!doctype html>", UNSAFE),
}  # fmt: skip
_ZEROS = raw_tar_header(b"zeros", size=8**11 - 1)
# A header of most size, a thousandth of which is left when it is compressed.
_RECORDS = raw_tar_header(b"x", kind=b"x", size=2**20) + b"8 key=a\n" * 2**17


@pytest.mark.parametrize("name", SOURCES)
def test_a_hostile_source_is_told_to_its_author_and_becomes_nothing(
    world: World, name: str
) -> None:
    content, reasons = SOURCES[name]
    key = f"sources/{world.function.namespace}/source.archive"
    world.storage_client.put_object(Bucket=world.bucket, Key=key, Body=content())

    reply = world.start(source={"uri": f"s3://{world.bucket}/{key}"})
    failure = getattr(reply.data, "failure", None)
    if failure is None:
        # No file of it asks for packages, so that publish is the first to read all of it.
        failure = world.publish(reply.data.build_id).failure

    assert failure is not None, reply
    assert failure.reason in reasons, failure
    assert failure.is_users
    assert (world.tags(), world.jobs.started) == ([], [])
    assert world.leaks() == []


def test_a_source_of_another_tenant_cannot_be_named(world: World) -> None:
    theirs = world.canaries.add("source of another tenant", f"other-{world.function.name}")
    world.storage_client.put_object(
        Bucket=world.bucket, Key="sources/other tenant/a.py", Body=theirs.encode()
    )
    for uri in (
        f"s3://{world.bucket}/sources/other tenant/a.py",
        f"s3://{world.bucket}/sources/{world.function.namespace}/../other tenant/a.py",
        f"s3://{world.bucket}/sources/{world.function.namespace}/%2e%2e/other tenant/a.py",
        f"s3://{world.bucket}/own/sources/other/fn/build",
        "file:///etc/passwd",
    ):
        with pytest.raises((PermanentError, ValidationError)):
            world.start(source={"uri": uri})
    assert list(world.records.list()) == []
    assert world.leaks() == []


# Of 127.0.0.1, to whatever resolves the names of registries on a node.
HOSTS = (
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.0.0.01", "0177.0.0.1", "0x7f.0.0.1",
    "0x7f000001", "0X7F000001", "2130706433", "017700000001", "127.0x0.00.1",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_an_image_of_another_lambda_is_refused_however_it_is_spelled(
    world: World, name: str
) -> None:
    host, _, port = world.servers.registry.host.partition(":")
    assert host == "127.0.0.1"
    for place in (f"{name}:{port}", f"{name}:0{port}", f"{name}:000{port}"):
        for path in ("lambdas/other/fn", "lambdas/other/fn:latest"):
            with pytest.raises((PermanentError, ValidationError)):
                world.start(source={"image": f"{place}/{path}{DIGEST}"})
    assert list(world.records.list()) == []


@pytest.mark.parametrize("image", ["nodes.example.com/l/other/fn", "NODES.example.com.:443/l/o/f"])
def test_each_name_of_the_registry_that_is_set_counts(world: World, image: str) -> None:
    prepare = replace(world.build_start.prepare, image_prefix="nodes.example.com:0443/l")
    world.build_start = replace(world.build_start, prepare=prepare)
    for each in (image, f"{world.servers.registry.host}/lambdas/other/fn"):
        with pytest.raises((PermanentError, ValidationError)):
            world.start(source={"image": f"{each}{DIGEST}"})
    assert list(world.records.list()) == []


@pytest.mark.parametrize(
    "path",
    [
        "/lambdas//other/fn", "//lambdas/other/fn", "/x/../lambdas/other/fn", "/./lambdas/other/fn",
        "/Lambdas/other/fn", "/lambdas%2fother/fn", "/lambdas/other/fn/", "/lambdas/other/fn:a:b",
        "/lambdas/other/fn?x", "/lambdas\\other/fn", "/lambdas/other/\uff46n",
    ],
)  # fmt: skip
def test_what_container_runtimes_do_not_read_as_an_image_is_refused(
    world: World, path: str
) -> None:
    for host in (world.servers.registry.host, "user@127.0.0.1", "[::1]:5000", "http://127.0.0.1"):
        with pytest.raises((PermanentError, ValidationError)):
            world.start(source={"image": f"{host}{path}{DIGEST}"})
    assert list(world.records.list()) == []


@pytest.mark.parametrize(
    "image",
    [
        "{host}/knative-lambda/base-python3.11",
        "{host}/lambdas2/fn",
        "alias.invalid/lambdas/other/fn",
    ],
)
def test_an_image_of_the_platform_or_of_elsewhere_is_any_image(world: World, image: str) -> None:
    name = image.format(host=world.servers.registry.host)
    reply = world.start(source={"image": f"{name}{DIGEST}"})
    assert reply.type.endswith("build.complete.v1")
    assert world.jobs.started == []
    assert world.leaks() == []


@pytest.mark.parametrize(
    "name",
    ["knative-lambda-pull", "knative-lambda-registry-push", "knative-lambda-", "knative-lambda-.x"],
)
def test_a_secret_of_the_platform_cannot_be_a_variable(world: World, name: str) -> None:
    for optional in (True, False):
        secret = {"name": name, "key": ".dockerconfigjson", "optional": optional}
        reference = {"name": "A", "secretKeyRef": secret}
        with pytest.raises(ValidationError):
            world.start(MAIN, env=[{"name": "B", "value": "b"}, reference])
    assert list(world.records.list()) == []


@pytest.mark.parametrize("name", ["Knative-lambda-pull", "\u212anative-lambda-pull", " knative-x"])
def test_what_looks_like_a_secret_of_the_platform_is_no_name(world: World, name: str) -> None:
    reference = {"name": "A", "secretKeyRef": {"name": name, "key": "k"}}
    with pytest.raises(ValidationError):
        world.start(MAIN, env=[reference])
    assert list(world.records.list()) == []
