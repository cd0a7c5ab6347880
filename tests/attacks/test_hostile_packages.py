"""Packages that attack whoever installs and packs them run nothing, and get nowhere."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.attacks.helpers.packages import ESCAPES, TARBALLS, WHEEL, WHEELS, Attack
from tests.attacks.helpers.world import NODE, with_password
from tests.helpers import package_indexes
from tests.helpers.package_indexes import node_index, python_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.attacks.helpers.world import World

    MakeWorld = Callable[..., World]

ASKS = {"main.py": "def handler(event): ...", "requirements.txt": "evil==1.0\n"}
NODE_ASKS = {
    "index.js": "exports.handler = () => 1;",
    "package.json": json.dumps({"dependencies": {"alpha": "1.2.3"}}),
}


def check_build(world: World, attack: Attack, packages: str, tmp_path: Path) -> None:
    """A build ends as the attack may, and nothing of it is anywhere but in its packages."""
    ended = world.run_job()

    assert ended.left == []
    if ended.exit_code == 0:
        assert attack.may_succeed or not attack.reasons, ended
        complete = world.publish()
        if complete.failure is None:
            check_image(world, complete.digest, packages)
        else:
            assert complete.failure.reason in attack.reasons, complete
    else:
        # The author's: building again would not help.
        assert (ended.exit_code, ended.reason in attack.reasons) == (1, True), ended
        assert world.tags() == []
    assert [path for path in tmp_path.rglob("*") if path.name in ESCAPES and outside(path)] == []
    assert world.leaks() == []


def outside(path: Path) -> bool:
    """Whether something is not inside of a build's own workspace."""
    return "workspace" not in path.parts


def check_image(world: World, digest: str, packages: str) -> None:
    """Each layer of ours is in its own place, and grants nothing."""
    *_, installed, code = world.layers(digest)
    for layer, places in (
        (installed, (f"function/{packages}/", "function/lock.txt")),
        (code, ("function/source/",)),
    ):
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as tar:
            for member in tar:
                name = member.name + ("/" if member.isdir() else "")
                assert name == "function/" or name.startswith(places), name
                assert ".." not in name.split("/")
                assert not member.mode & 0o7022, (name, oct(member.mode))
                assert member.isreg() or member.isdir() or member.issym(), name
                assert not member.linkname.startswith("/"), name
                assert (member.uid, member.gid) == (0, 0)


@pytest.mark.parametrize("name", WHEELS)
def test_a_hostile_wheel_runs_nothing_and_leaves_its_folder_nowhere(
    make_world: MakeWorld, tmp_path: Path, name: str
) -> None:
    attack = WHEELS[name]
    (tmp_path / "target").mkdir()
    more = {WHEEL: attack.content(str(tmp_path / "target"))}
    options, user, password = with_password()
    with python_index(credential=(user, password), more=more) as index:
        world = make_world(**options, package_index_url=index)
        world.canaries.add("password of the index", password)
        assert world.start(ASKS).type.endswith("build.started.v1")
        check_build(world, attack, "packages", tmp_path)


@pytest.mark.parametrize("name", TARBALLS)
def test_a_hostile_tarball_runs_nothing_and_leaves_its_folder_nowhere(
    make_world: MakeWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    require_server: Callable[[str, str], str],
    name: str,
) -> None:
    require_server("npm", "apt-get install npm")
    attack = TARBALLS[name]
    (tmp_path / "target").mkdir()
    content = attack.content(str(tmp_path / "target"))
    monkeypatch.setitem(package_indexes.NODE_PACKAGES, "alpha", content)
    with node_index() as index:
        world = make_world(package_index_url=index)
        assert world.start(NODE_ASKS, runtime=NODE).type.endswith("build.started.v1")
        check_build(world, attack, "node_modules", tmp_path)


def test_a_password_of_an_index_is_the_download_s_alone(make_world: MakeWorld) -> None:
    options, user, password = with_password()
    with python_index(credential=(user, password)) as index:
        world = make_world(**options, package_index_url=index)
        world.canaries.add("password of the index", password)
        world.canaries.add(
            "authorization", base64.b64encode(f"{user}:{password}".encode()).decode()
        )
        world.start({**ASKS, "requirements.txt": "alpha\n"})
        ended = world.run_job()
        assert ended.exit_code == 0, ended
        assert any("environment of the download" in each for each in ended.seen)
        assert world.publish().digest is not None
        assert world.leaks() == []
