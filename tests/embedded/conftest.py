"""A running platform for tests that drive it through its public interface.

`platform` is one for all tests of a session (of one pytest-xdist worker): give functions names of
their own (`unique_name`). A test that stops or kills it takes `own_platform`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.embedded.helpers.embedded_platform import EmbeddedPlatform
from tests.embedded.helpers.lanes import Lane, lane_of
from tests.embedded.helpers.prepared_runtimes import prepare_once, take_prepared
from tests.embedded.helpers.running_platform import CHECKOUT, kn_lambda_program, machine_environment
from tests.helpers.gated_wheel import GatedWheel, GateServer, gate_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NUMBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/embedded/" in item.nodeid:
            item.add_marker(pytest.mark.embedded)


@pytest.fixture(scope="session")
def gates() -> Iterator[GateServer]:
    """Where all gated packages of a session come from; its platforms allow that address."""
    with gate_server() as server:
        yield server


@pytest.fixture(scope="session")
def settings(gates: GateServer) -> dict[str, str]:
    """Settings of every platform."""
    return {"KN_LAMBDA_PACKAGE_URL_PREFIXES": json.dumps([gates.url])}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home from which others take prepared runtimes; all test processes share it."""
    own = tmp_path_factory.getbasetemp()
    return prepare_once(own if worker_id == "master" else own.parent)


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path, settings: dict[str, str]
) -> Iterator[EmbeddedPlatform]:
    """A platform that all tests share."""
    home = take_prepared(prepared, tmp_path_factory.mktemp("platform") / "home")
    running = EmbeddedPlatform(home, settings)
    try:
        running.start()
        yield running
    finally:
        running.close()


# For ever, an hour, and the longest that one delivery may be held.
_PATIENCE = {
    "KN_LAMBDA_START_TIMEOUT": "0",
    "KN_LAMBDA_BUILD_TIMEOUT": "PT1H",
    "KN_LAMBDA_FOLLOW_TIMEOUT": "PT30S",
    "KN_LAMBDA_READY_TIMEOUT": "PT70S",
}


@pytest.fixture(scope="session")
def patient_platform(
    tmp_path_factory: pytest.TempPathFactory, prepared: Path, settings: dict[str, str]
) -> Iterator[EmbeddedPlatform]:
    """Another that they share: a test on it that needs a time-out to pass would not end."""
    home = take_prepared(prepared, tmp_path_factory.mktemp("patient") / "home")
    running = EmbeddedPlatform(home, {**settings, **_PATIENCE})
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def own_platform(
    tmp_path: Path, prepared: Path, settings: dict[str, str]
) -> Iterator[EmbeddedPlatform]:
    """A platform of this test alone, running; it may be stopped, killed and started again."""
    running = EmbeddedPlatform(take_prepared(prepared, tmp_path / "home"), settings)
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def start_platform(
    tmp_path: Path, prepared: Path, settings: dict[str, str]
) -> Iterator[Callable[..., EmbeddedPlatform]]:
    """`start_platform(KN_LAMBDA_BUILD_TIMEOUT="PT3S")` is a platform with settings of its own."""
    with contextlib.ExitStack() as ended:

        def start(*arguments: str, **changes: str) -> EmbeddedPlatform:
            home = take_prepared(prepared, tmp_path / f"home-{next(_NUMBERS)}")
            running = EmbeddedPlatform(home, {**settings, **changes})
            ended.callback(running.close)
            running.start(*arguments)
            return running

        yield start


@pytest.fixture
def gate(gates: GateServer) -> Iterator[GatedWheel]:
    """A package that a build has to wait for until the test opens the gate."""
    with gates.gate() as waiting:
        yield waiting


@pytest.fixture(params=["code", "packages"])
def lane(request: pytest.FixtureRequest, gate: GatedWheel) -> Lane:
    """Each of the lanes that need a build, one after the other."""
    return lane_of(request.param, gate)


@pytest.fixture
def kn_lambda(platform: EmbeddedPlatform) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`kn_lambda("list", "-o", "json")` against the shared platform."""
    return platform.kn_lambda


@pytest.fixture
def kn_lambda_alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command without a platform, with a home folder and a folder for temporary files."""

    def run(*arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        temporary = tmp_path / "tmp"
        temporary.mkdir(exist_ok=True)
        home = {"KN_LAMBDA_HOME": str(tmp_path / "home"), "TMPDIR": str(temporary)}
        return subprocess.run(
            [*kn_lambda_program(), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**machine_environment(), **home},
            check=False,
        )

    return run


@pytest.fixture
def unique_name() -> str:
    """A name that no other test of this session uses."""
    return f"fn-{next(_NUMBERS)}"


@pytest.fixture
def examples() -> Path:
    """The folder of the examples."""
    return CHECKOUT / "examples"


@pytest.fixture
def write_function(tmp_path: Path) -> Callable[..., Path]:
    """`write_function(main_py="...", requirements="...")` is the folder of a Python function."""

    def write(main_py: str, *, requirements: str = "", **files: bytes) -> Path:
        folder = tmp_path / "function"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(main_py)
        if requirements:
            (folder / "requirements.txt").write_text(requirements)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return write
