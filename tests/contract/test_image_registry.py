"""The contract of the port ImageRegistry; the real registries hold what was published."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from knative_lambda.adapters.registry import SchemeImageRegistry
from knative_lambda.domain.errors import RegistryUnavailableError
from tests.helpers.fakes_platform import InMemoryImageRegistry
from tests.helpers.publishing import Publishing
from tests.helpers.registries import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from knative_lambda.ports import ImageRegistry

UNKNOWN = "sha256:" + "0" * 64


@dataclass(frozen=True, kw_only=True)
class Place:
    """A registry, and a repository of it that no other test knows."""

    registry: ImageRegistry
    publish: Callable[[str, str, str], str]
    root: str
    name: str = field(default_factory=lambda: f"tenant/{uuid.uuid4().hex}")

    @property
    def repository(self) -> str:
        return f"{self.root}/{self.name}"

    def push(self, tag: str, content: str = "hello") -> str:
        """Publish an image of this content; its digest."""
        return self.publish(self.repository, tag, content)


def publishing(tmp_path, docker_config=None):
    images = Publishing(tmp_path, docker_config)

    def publish(repository, tag, content):
        images.files = {"main.txt": content}
        return images.publish(repository, tag)

    return publish


@pytest.fixture
def fake(tmp_path):
    registry = InMemoryImageRegistry()

    def publish(repository, tag, content):
        digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
        registry.push(repository, tag, digest)
        return digest

    return Place(registry=registry, publish=publish, root="http://registry.invalid")


@pytest.fixture
def folder(tmp_path):
    root = f"file://{tmp_path}/two%20words"
    return Place(registry=SchemeImageRegistry(), publish=publishing(tmp_path), root=root)


@pytest.fixture
def anonymous(tmp_path, docker_registry):
    registry = SchemeImageRegistry()
    return Place(registry=registry, publish=publishing(tmp_path), root=docker_registry.url)


@pytest.fixture
def password(tmp_path, password_registry):
    docker_config = password_registry.docker_config(tmp_path / "docker")
    return Place(
        registry=SchemeImageRegistry(docker_config=docker_config),
        publish=publishing(tmp_path, docker_config),
        root=password_registry.url,
    )


@pytest.fixture(params=["fake", "folder", "anonymous", "password"])
def place(request):
    return request.getfixturevalue(request.param)


def test_a_repository_that_nobody_made_has_nothing(place):
    assert place.registry.list_tags(place.repository) == []
    assert place.registry.find(place.repository, "v1") is None
    place.registry.delete(place.repository, UNKNOWN)


def test_a_published_image_is_found_by_its_tag(place):
    digest = place.push("v1")
    assert place.registry.find(place.repository, "v1") == digest
    assert place.registry.find(place.repository, "v2") is None


def test_all_tags_are_listed_in_order(place):
    place.push("v2")
    place.push("v1", "other")
    assert place.registry.list_tags(place.repository) == ["v1", "v2"]


def test_an_image_is_deleted_as_often_as_asked_and_others_stay(place):
    gone, kept = place.push("v1"), place.push("v2", "other")
    for _ in range(2):
        place.registry.delete(place.repository, gone)
    assert place.registry.find(place.repository, "v1") is None
    assert place.registry.list_tags(place.repository) == ["v2"]
    assert place.registry.find(place.repository, "v2") == kept


def test_an_image_goes_with_all_its_tags(place):
    digest = place.push("v1")
    assert place.push("v2") == digest
    place.registry.delete(place.repository, digest)
    assert place.registry.list_tags(place.repository) == []


def test_what_was_deleted_can_be_published_again(place):
    digest = place.push("v1")
    place.registry.delete(place.repository, digest)
    assert place.push("v1") == digest
    assert place.registry.find(place.repository, "v1") == digest


def test_an_image_that_shares_layers_with_a_deleted_one_is_whole(place):
    gone = place.push("v1")
    place.push("v2", "other")
    place.registry.delete(place.repository, gone)
    # A publish of the same content reads, and reuses, what is there.
    kept = place.push("v3", "other")
    assert place.registry.find(place.repository, "v2") == kept


@pytest.mark.parametrize("wrong", [None, "wrong-password"])
def test_credentials_that_are_refused_are_our_set_up_and_are_not_repeated(
    password_registry, tmp_path, wrong
):
    config = wrong and password_registry.docker_config(tmp_path / "docker", wrong)
    registry = SchemeImageRegistry(docker_config=config)
    with pytest.raises(RegistryUnavailableError, match="check the registry secret") as refused:
        registry.list_tags(f"{password_registry.url}/tenant/hello")
    assert "wrong-password" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
