"""The contract of the port ImagePublisher, on the fake and with real layouts and registries."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knative_lambda.adapters.image_publisher import OciImagePublisher
from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.domain.errors import (
    InvalidContentError,
    PackagesMissingError,
    RegistryUnavailableError,
)
from knative_lambda.domain.image import ImageOrder
from lambda_builder.base_image import build_base_image
from lambda_oci.descriptors import Manifest, parse_json
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository
from tests.helpers.archives import ZipMember, gzipped, tar_bytes, tar_member, zip_bytes
from tests.helpers.fakes_publishing import InMemoryImagePublisher
from tests.helpers.publishing import LIMITS, TINY
from tests.helpers.registries import PASSWORD
from tests.helpers.workspaces import write_runtime

if TYPE_CHECKING:
    from knative_lambda.ports import ImagePublisher, ImageRegistry

FOLDER = tar_member("packages", b"", type=tarfile.DIRTYPE)
PACKAGES = tar_bytes(tar_member("lock.txt", b"p==1"), FOLDER, tar_member("packages/p", b"package"))
NO_PACKAGES = tar_bytes()
LOCAL = "http://127.0.0.1:9/base@sha256:" + "0" * 64


@dataclass(frozen=True, kw_only=True)
class Place:
    """A publisher, a registry that sees what it does, and a repository that no other test knows."""

    publisher: ImagePublisher
    registry: ImageRegistry
    root: str
    base: str
    docker_config: str | None = None
    name: str = field(default_factory=lambda: f"tenant/{uuid.uuid4().hex}")

    @property
    def repository(self) -> str:
        return f"{self.root}/{self.name}"

    def keep(self, archive=PACKAGES, tag="packages-1"):
        self.publisher.keep_packages(
            self.repository, tag, language=TINY, runtime="tiny1.0", archive=io.BytesIO(archive)
        )

    def publish(self, files=None, *, tag="build-1", packages_tag=None, archive=None):
        files = {"main.txt": b"hello"} if files is None else files
        content = archive or gzipped(tar_bytes(*(tar_member(n, c) for n, c in files.items())))
        order = ImageOrder(
            repository_url=self.repository,
            tag=tag,
            packages_tag=packages_tag,
            base_image_url=self.base,
            runtime="tiny1.0",
            language=TINY,
        )
        return self.publisher.publish(order, io.BytesIO(content))

    def image(self, digest):
        """Config and names of the files, layer by layer."""
        config = None if self.docker_config is None else Path(self.docker_config)
        repository = open_repository(parse_repository(self.repository), config)
        manifest = Manifest.parse(repository.read_manifest(digest))
        layers = []
        for layer in manifest.layers:
            with tarfile.open(fileobj=io.BytesIO(repository.read_blob(layer))) as tar:
                layers.append([member.name for member in tar.getmembers() if not member.isdir()])
        return parse_json(repository.read_blob(manifest.config), "config"), layers


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base image in a folder."""
    folder = tmp_path_factory.mktemp("base")
    write_runtime(folder / "runtimes")
    return build_base_image("tiny1.0", folder / "runtimes", f"file://{folder}/base")


def oci_place(root, base, docker_config=None):
    return Place(
        publisher=OciImagePublisher(**LIMITS, docker_config=docker_config),
        registry=SchemeImageRegistry(docker_config=docker_config),
        root=root,
        base=base,
        docker_config=docker_config,
    )


@pytest.fixture
def fake():
    publisher = InMemoryImagePublisher()
    return Place(
        publisher=publisher, registry=publisher.registry, root="http://registry.invalid", base=LOCAL
    )


@pytest.fixture
def folder(tmp_path, base):
    return oci_place(f"file://{tmp_path}/two%20words", base)


@pytest.fixture
def anonymous(docker_registry, base):
    return oci_place(docker_registry.url, base)


@pytest.fixture
def password(tmp_path, password_registry, base):
    return oci_place(
        password_registry.url, base, password_registry.docker_config(tmp_path / "docker")
    )


@pytest.fixture(params=["fake", "folder", "anonymous", "password"])
def place(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["folder", "anonymous", "password"])
def real(request):
    return request.getfixturevalue(request.param)


def test_a_published_image_is_found_by_its_tag(place):
    digest = place.publish()
    assert place.registry.find(place.repository, "build-1") == digest


def test_the_same_source_is_the_same_image_however_it_was_packed(place):
    files = {"main.txt": b"hello", "lib/a.txt": b"a"}
    zipped = zip_bytes(*(ZipMember(name=n.encode(), content=c) for n, c in files.items()))
    reverse = tar_bytes(*(tar_member(n, files[n], mtime=5) for n in reversed(files)))
    digests = {place.publish(files), place.publish(archive=zipped), place.publish(archive=reverse)}
    assert len(digests) == 1
    assert place.publish({**files, "main.txt": b"changed"}) not in digests


def test_packages_are_kept_and_go_into_each_image_that_names_them(place):
    place.keep()
    assert place.registry.find(place.repository, "packages-1")
    first = place.publish(packages_tag="packages-1")
    second = place.publish({"main.txt": b"changed"}, packages_tag="packages-1", tag="build-2")
    assert len({first, second, place.publish(tag="build-3")}) == 3


def test_packages_may_be_kept_again(place):
    place.keep()
    first = place.publish(packages_tag="packages-1")
    place.keep()
    assert place.publish(packages_tag="packages-1") == first


def test_that_nothing_was_installed_is_kept_as_well(place):
    place.keep(NO_PACKAGES)
    assert place.registry.find(place.repository, "packages-1")
    assert place.publish(packages_tag="packages-1")


def test_packages_that_nobody_kept_are_missing(place):
    with pytest.raises(PackagesMissingError, match="packages-1"):
        place.publish(packages_tag="packages-1")
    assert place.registry.find(place.repository, "build-1") is None


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"<html>", "InvalidArchive"),
        (tar_bytes(tar_member("../main.txt")), "UnsafeArchive"),
        (tar_bytes(tar_member("a", b"", type=tarfile.SYMTYPE, linkname="b")), "UnsafeArchive"),
        (tar_bytes(), "InvalidArchive"),
    ],
)
def test_a_source_that_cannot_become_an_image_is_refused(place, archive, reason):
    with pytest.raises(InvalidContentError) as caught:
        place.publish(archive=archive)
    assert (caught.value.reason, place.registry.list_tags(place.repository)) == (reason, [])


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"", "InvalidPackages"),
        (gzipped(PACKAGES), "InvalidPackages"),
        (tar_bytes(tar_member("../evil")), "UnsupportedFile"),
        (tar_bytes(FOLDER, tar_member("packages/.wh.x")), "UnsupportedFile"),
        (tar_bytes(FOLDER, tar_member("packages/su", mode=0o4755)), "UnsupportedFile"),
    ],
)
def test_packages_that_cannot_become_a_layer_are_refused(place, archive, reason):
    with pytest.raises(InvalidContentError) as caught:
        place.keep(archive)
    assert (caught.value.reason, place.registry.list_tags(place.repository)) == (reason, [])


def test_an_image_is_made_again_after_it_was_deleted(place):
    digest = place.publish()
    place.registry.delete(place.repository, digest)
    assert place.publish() == digest
    assert place.registry.find(place.repository, "build-1") == digest


def test_an_image_has_base_packages_and_code_as_layers(real):
    real.keep()
    config, layers = real.image(real.publish(packages_tag="packages-1"))
    assert layers == [
        ["runtime/serve.sh"],
        ["function/lock.txt", "function/packages/p"],
        ["function/source/main.txt"],
    ]
    assert config["config"]["Entrypoint"] == ["sh", "/runtime/serve.sh"]
    assert config["config"]["Labels"] == {"dev.knative-lambda.runtime": "tiny1.0"}
    assert len(config["rootfs"]["diff_ids"]) == 3


def test_without_packages_there_is_no_layer_for_them(real):
    real.keep(NO_PACKAGES)
    _, layers = real.image(real.publish(packages_tag="packages-1"))
    assert layers == [["runtime/serve.sh"], ["function/source/main.txt"]]


def test_a_manifest_of_the_source_can_name_the_handler(real):
    manifest = json.dumps({"main": "lib/app.txt"}).encode()
    config, _ = real.image(real.publish({"package.json": manifest, "lib/app.txt": b""}))
    assert "FUNCTION_HANDLER=lib/app.handler" in config["config"]["Env"]


def test_limits_are_those_of_the_installation(real):
    with pytest.raises(InvalidContentError) as caught:
        real.publish({"main.txt": b"x" * 1_000_001})
    assert caught.value.reason == "SourceTooLarge"
    with pytest.raises(InvalidContentError) as caught:
        real.keep(tar_bytes(FOLDER, tar_member("packages/p", b"x" * 1_000_001)))
    assert caught.value.reason == "PackagesTooLarge"


def test_what_is_sent_is_told_to_the_log(real, caplog):
    caplog.set_level(logging.INFO, "knative_lambda.adapters.image_publisher")
    real.publish({"main.txt": b"x" * 5000})
    real.publish({"main.txt": b"x" * 5000})
    first, second = (record.sent_bytes for record in caplog.records)
    # The base, the code, the config and the manifest; then the manifest alone.
    assert first > second > 0
    assert real.repository in {record.repository for record in caplog.records}
    assert PASSWORD not in caplog.text


def test_a_change_of_code_sends_one_layer_one_config_and_one_manifest(docker_registry, base):
    place = oci_place(docker_registry.url, base)
    place.keep()
    place.publish(packages_tag="packages-1")
    before = len(docker_registry.requests())
    place.publish({"main.txt": b"changed"}, packages_tag="packages-1", tag="build-2")
    made = [(method, status) for method, _, status in docker_registry.requests()[before:]]
    assert sorted(made) == sorted(
        [
            ("GET", 200),  # the packages
            ("HEAD", 200),  # the layer of the base
            *[("HEAD", 404), ("POST", 202), ("PUT", 201)],  # the code
            *[("HEAD", 404), ("POST", 202), ("PUT", 201)],  # the config
            ("PUT", 201),  # the manifest
        ]
    )


def test_layers_of_a_base_in_the_same_registry_are_mounted(docker_registry, base):
    origin = oci_place(docker_registry.url, base)
    url = f"{origin.repository}@{origin.publish()}"
    place = oci_place(docker_registry.url, url)
    place.publish({"main.txt": b"changed"})
    mounted = [
        path
        for method, path, status in docker_registry.requests()
        if method == "POST" and "mount=" in path and place.name in path and status == 201
    ]
    assert len(mounted) == 2


def test_a_base_that_is_missing_may_come(anonymous):
    place = oci_place(anonymous.root, f"{anonymous.root}/none@sha256:{'0' * 64}")
    with pytest.raises(RegistryUnavailableError, match="sha256:0000"):
        place.publish()


@pytest.mark.parametrize("wrong", [None, "wrong-password"])
def test_credentials_that_are_refused_are_our_set_up_and_are_not_shown(
    password_registry, base, tmp_path, wrong
):
    config = wrong and password_registry.docker_config(tmp_path / "docker", wrong)
    place = oci_place(password_registry.url, base, config)
    with pytest.raises(RegistryUnavailableError, match="check the registry secret") as refused:
        place.publish()
    assert "wrong-password" not in str(refused.value)
