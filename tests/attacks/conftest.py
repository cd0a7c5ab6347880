"""Servers and worlds of attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.helpers.world import Servers, World, base_images
from tests.helpers.registries import running_password_registry
from tests.helpers.s3_servers import moto_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory, require_server: Callable[[str, str], str]
) -> Iterator[Servers]:
    """Storage, and a registry that lets in nobody without its password."""
    program = require_server("docker-registry", "apt-get install docker-registry")
    folder = tmp_path_factory.mktemp("servers")
    (folder / "registry").mkdir()
    bases = base_images(folder / "bases")
    with (
        moto_server(folder) as s3,
        running_password_registry(program, folder / "registry") as registry,
    ):
        yield Servers(s3, registry, bases)


@pytest.fixture
def make_world(servers: Servers, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """`make_world(allow_source_packages=True)` is an installation with these options of builds."""
    made: list[World] = []

    def make(**options: Any) -> World:
        folder = tmp_path / f"world-{len(made)}"
        folder.mkdir()
        made.append(World(folder, servers, options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
