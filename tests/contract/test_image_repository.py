"""What every image repository promises, be it a folder or one of a registry."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lambda_oci.descriptors import LAYER_GZIP, describe
from lambda_oci.errors import SetupError, StoredImageError
from lambda_oci.image import encode_image
from lambda_oci.references import parse_repository
from lambda_oci.repositories import open_repository

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_oci.repository import Repository

LAYER = describe(LAYER_GZIP, b"a layer")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where repositories are, each of which no other test knows."""

    root: str
    docker_config: Path | None
    folder: Path

    def repository(self, name: str = "") -> Repository:
        url = f"{self.root}/tenant/{name or uuid.uuid4().hex}"
        return open_repository(parse_repository(url), self.docker_config)

    def add(self, repository, content=b"a layer"):
        """Store these bytes as a layer; its descriptor."""
        blob = describe(LAYER_GZIP, content)
        (self.folder / "blob").write_bytes(content)
        with repository.writing():
            repository.add_blob(blob, self.folder / "blob")
        return blob

    def push(self, repository, tag, content=b"a layer"):
        """Store an image with one layer of these bytes; its digest."""
        layer = self.add(repository, content)
        image = encode_image({"os": "linux", "of": content.decode()}, (layer,), {})
        self.add_config(repository, image)
        with repository.writing():
            return repository.add_manifest(image.manifest, tag).digest

    def add_config(self, repository, image):
        (self.folder / "config").write_bytes(image.config)
        with repository.writing():
            repository.add_blob(image.config_descriptor, self.folder / "config")


@pytest.fixture
def folder(tmp_path):
    return Place(root=f"file://{tmp_path}/two%20words", docker_config=None, folder=tmp_path)


@pytest.fixture
def anonymous(tmp_path, docker_registry):
    return Place(root=docker_registry.url, docker_config=None, folder=tmp_path)


@pytest.fixture
def password(tmp_path, password_registry):
    password_registry.docker_config(tmp_path / "docker")
    return Place(root=password_registry.url, docker_config=tmp_path / "docker", folder=tmp_path)


@pytest.fixture(params=["folder", "anonymous", "password"])
def place(request):
    return request.getfixturevalue(request.param)


def test_a_repository_that_nobody_made_has_nothing(place):
    repository = place.repository()
    assert repository.find("v1") is None
    assert repository.list_tags() == []
    repository.delete(LAYER.digest)
    assert repository.list_tags() == []


def test_a_blob_is_there_once_it_is_added(place, tmp_path):
    repository = place.repository()
    with repository.writing():
        assert not repository.contains(LAYER)
    assert place.add(repository) == LAYER
    assert repository.contains(LAYER)
    assert repository.read_blob(LAYER) == b"a layer"
    repository.copy_blob(LAYER, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"a layer"


def test_a_blob_is_taken_over_from_another_repository(place):
    origin, target = place.repository(), place.repository()
    place.add(origin)
    with target.writing():
        assert target.adopt(LAYER, origin)
        assert target.contains(LAYER)


def test_what_is_not_there_is_said_to_be_missing(place, tmp_path):
    repository = place.repository()
    for read in (
        lambda: repository.read_manifest(LAYER.digest),
        lambda: repository.read_blob(LAYER),
        lambda: repository.copy_blob(LAYER, tmp_path / "copy"),
    ):
        with pytest.raises(StoredImageError) as missing:
            read()
        assert missing.value.reason == "ImageNotFound"


def test_a_manifest_is_found_by_its_tag_and_read_by_its_digest(place):
    repository = place.repository()
    first, second = place.push(repository, "v1"), place.push(repository, "v2", b"other")
    assert (repository.find("v1"), repository.find("v2")) == (first, second)
    assert describe("", repository.read_manifest(first)).digest == first
    assert repository.list_tags() == ["v1", "v2"]


def test_a_tag_that_moves_leaves_its_image_there(place):
    repository = place.repository()
    first, second = place.push(repository, "v1"), place.push(repository, "v1", b"other")
    assert repository.find("v1") == second
    assert repository.read_manifest(first)


def test_a_deleted_image_is_gone_with_its_tags_and_others_stay(place):
    repository = place.repository()
    gone, kept = place.push(repository, "v1"), place.push(repository, "v2", b"other")
    assert place.push(repository, "v3") == gone
    for _ in range(2):
        repository.delete(gone)
    assert repository.list_tags() == ["v2"]
    assert repository.find("v1") is None
    assert repository.read_manifest(kept)


def test_one_client_finds_reads_writes_and_deletes(place):
    """The right to delete is another one than that to read, and is asked for when it is needed."""
    repository = place.repository()
    for _ in range(2):
        digest = place.push(repository, "v1")
        assert repository.find("v1") == digest
        repository.delete(digest)
        assert repository.list_tags() == []


@pytest.mark.parametrize("password", ["", "wrong-password"])
def test_credentials_that_are_missing_or_wrong_are_not_shown(password_registry, tmp_path, password):
    config = None
    if password:
        password_registry.docker_config(tmp_path / "docker", password)
        config = tmp_path / "docker"
    place = Place(root=password_registry.url, docker_config=config, folder=tmp_path)
    with pytest.raises(SetupError) as denied:
        place.repository().find("v1")
    assert denied.value.reason == "RegistryDenied"
    assert "wrong-password" not in denied.value.message
