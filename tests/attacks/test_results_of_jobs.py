"""What a hostile Job leaves in storage becomes no image, and is told to the author alone."""

from __future__ import annotations

import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.attacks.helpers.results import FOLDER, HOSTILE_RESULTS
from tests.attacks.helpers.world import PACKAGES_MAX_BYTES, World
from tests.helpers.archives import tar_bytes, tar_member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attacks.helpers.world import Servers

ASKS = {"main.py": "def handler(event): ...", "requirements.txt": "beta==1.5\n"}
GOOD = tar_bytes(FOLDER, tar_member("packages/beta.py", b"GOOD = 1\n"))
WORSE = tar_bytes(FOLDER, tar_member("packages/beta.py", b"BAD = 'not this'\n"))


@pytest.fixture(scope="module")
def shared_world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for many lambdas, of whose secrets nothing is found when all are done."""
    world = World(tmp_path_factory.mktemp("shared"), servers)
    yield world
    assert world.leaks() == []
    world.close()


@pytest.mark.parametrize("attack", HOSTILE_RESULTS)
def test_a_hostile_result_is_refused_removed_and_leaves_nothing(
    shared_world: World, attack: str
) -> None:
    world = shared_world.become()
    world.start(ASKS)
    hostile = HOSTILE_RESULTS[attack]
    world.leave(hostile.content())

    complete = world.publish()

    assert complete is not None
    failure = complete.failure
    assert failure is not None, attack
    assert failure.reason in hostile.reasons, failure
    assert failure.is_users
    # A person reads it in a terminal.
    assert failure.message.isprintable()
    assert world.tags() == []
    assert world.keys(f"own/packages/{world.function}/") == []
    assert world.told_leaks() == []


def test_a_result_over_the_limit_is_not_read_to_its_end(world: World) -> None:
    world.start(ASKS)
    world.leave(bytes(PACKAGES_MAX_BYTES + 1))
    tracemalloc.start()
    try:
        complete = world.publish()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert complete.failure.reason == "PackagesTooLarge"
    assert most < PACKAGES_MAX_BYTES
    assert world.tags() == []


def test_a_result_that_is_written_again_changes_nothing(world: World) -> None:
    world.start(ASKS)
    world.leave(GOOD)
    first = world.publish()
    # The URL is valid for a while, and a build that goes on running has it.
    world.leave(WORSE)
    again = world.publish()
    assert first.digest is not None
    assert again.digest == first.digest

    changed = world.start({**ASKS, "main.py": "CHANGED = 1"})
    assert changed.type.endswith("build.packaged.v1")
    world.leave(WORSE)
    second = world.publish(changed.data.build_id)
    # The packages of the first build, and the new code.
    assert world.layers(second.digest)[1] == world.layers(first.digest)[1]
    assert b"not this" not in b"".join(map(bytes, world.layers(second.digest)))


def test_a_result_that_comes_after_the_build_failed_is_not_used(world: World) -> None:
    world.start(ASKS)
    world.leave(HOSTILE_RESULTS["setuid"].content())
    assert world.publish().failure.reason == "UnsupportedFile"
    late = world.order.build_id
    world.start({**ASKS, "requirements.txt": "beta==1.4\n"})
    world.leave(GOOD)

    assert world.publish(late) is None
    assert world.tags() == []


def test_a_result_of_one_lambda_is_no_part_of_another(make_world) -> None:
    attacker, victim = make_world(), make_world()
    for each in (attacker, victim):
        each.start(ASKS)
    attacker.leave(WORSE)

    complete = victim.publish(victim.order.build_id)

    assert complete.failure.reason == "PackagesMissing"
    assert victim.tags() == []
    # A made-up event that names another build mixes nothing.
    assert victim.publish("f" * 64) is None


EVENTS_OF_PROGRAMS = {
    "subprocess.Popen", "os.exec", "os.spawn", "os.posix_spawn", "os.system", "os.fork",
    "os.forkpty", "ctypes.dlopen", "marshal.loads", "pty.spawn", "code.__new__",
}  # fmt: skip
PAYLOAD = b"open('/dev/null').close()\n"
# What some program would execute that is started beside it, or that has it on its path.
PAYLOADS = (
    "evil.pth", "sitecustomize.py", "usercustomize.py", "lambda_oci/__init__.py",
    "knative_lambda/__init__.py", "functions_framework.py", "setup.py", "gunicorn.conf.py",
    "conftest.py", "__main__.py", "tarfile.py", "gzip.py", "bin/tar",
)  # fmt: skip


class Audit:
    """Hears what the interpreter is about to do; hooks cannot be removed, only be idle."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] | None = None
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.heard is None:
            return
        if event in EVENTS_OF_PROGRAMS:
            self.heard.append((event, repr(arguments)))
        elif event == "import" and "packages" in str(arguments[1]):
            self.heard.append((event, str(arguments)))
        elif event == "exec":
            code = arguments[0]
            self.heard.append((event, str(getattr(code, "co_filename", code))))
        elif event == "compile":
            self.heard.append((event, repr(arguments[1])))


@pytest.fixture(scope="session")
def audit() -> Audit:
    return Audit()


def folders_of(names: tuple[str, ...]) -> set[str]:
    return {name.rpartition("/")[0] for name in names if "/" in name}


def test_publish_executes_compiles_and_imports_nothing_of_what_a_build_leaves(
    world: World, audit: Audit
) -> None:
    """It is told by the interpreter itself, which knows of every piece of code that it runs."""
    names = sorted(PAYLOADS, key=lambda name: name.split("/"))
    members = [FOLDER]
    for name in names:
        folder = name.rpartition("/")[0]
        if folder:
            members.append(tar_member(f"packages/{folder}", b"", type=b"5", mode=0o755))
        members.append(tar_member(f"packages/{name}", PAYLOAD, mode=0o755))
    code = {name: PAYLOAD.decode() for name in PAYLOADS if name != "evil.pth"}
    # Everything that publish imports on first use is there before.
    world.start(ASKS)
    world.leave(GOOD)
    world.publish()
    world.start({**code, **ASKS, "requirements.txt": "other\n"})
    world.leave(tar_bytes(*members))

    audit.heard = []
    try:
        complete = world.publish()
        heard = audit.heard
    finally:
        audit.heard = None

    assert complete.digest is not None, complete
    ours = ("/lib/python", "<string>", "<frozen", "<attrs", "/shared/src/", "/oci/src/", "None")
    assert [each for each in heard if not any(word in each[1] for word in ours)] == []
    assert world.leaks() == []
