"""Servers of both runtimes, started as a base image starts them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.runtimes.function_process import FunctionProcess
from tests.integration.runtimes.sources import NODE_SOURCE, PYTHON_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[3]
RUNTIMES = REPOSITORY / "runtimes"


@pytest.fixture(scope="session")
def python_command() -> list[str]:
    """The Python runtime's start, in an environment of exactly its locked packages."""
    lock = RUNTIMES / "python" / "requirements.txt"
    version = "{}.{}".format(*sys.version_info[:2])
    key = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:16]
    environment = REPOSITORY / ".cache" / f"python-runtime-{key}"
    environment.parent.mkdir(exist_ok=True)
    with (environment.parent / "python-runtime.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (environment / "complete").exists():
            _make_environment(environment, lock)
    return [str(environment / "bin" / "python"), str(RUNTIMES / "python" / "server" / "server.py")]


def _make_environment(environment: Path, lock: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    python = environment / "bin" / "python"
    subprocess.run(
        [uv, "venv", "--quiet", "--clear", "-p", sys.executable, environment], check=True
    )
    subprocess.run(
        [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "-p",
            python,
            "--require-hashes",
            lock,
        ],
        check=True,
    )
    (environment / "complete").touch()


@pytest.fixture(scope="session")
def node_command(require_server: Callable[[str, str], str]) -> list[str]:
    node = require_server("node", "apt-get install nodejs, version 18 or newer")
    return [node, str(RUNTIMES / "nodejs" / "server" / "server.js")]


@pytest.fixture(scope="session", params=["python", "nodejs"])
def language(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def command(language: str, request: pytest.FixtureRequest) -> list[str]:
    name = "python_command" if language == "python" else "node_command"
    found: list[str] = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="session")
def function(
    language: str, command: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., FunctionProcess]]:
    """A function of `sources.py` in either language; one process per name and settings."""
    root = tmp_path_factory.mktemp(language)
    (root / "source").mkdir()
    file = {"python": "main.py", "nodejs": "index.js"}[language]
    source = PYTHON_SOURCE if language == "python" else NODE_SOURCE
    (root / "source" / file).write_text(source)
    module = file.partition(".")[0]
    running: dict[tuple[object, ...], FunctionProcess] = {}

    def start(name: str, **environment: str) -> FunctionProcess:
        key = (name, *sorted(environment.items()))
        if key not in running:
            settings = {"FUNCTION_HANDLER": f"{module}.{name}", **environment}
            running[key] = FunctionProcess(command, root, settings)
            running[key].wait_until_ready()
        return running[key]

    yield start
    for process in running.values():
        process.close()


@pytest.fixture
def start(command: list[str], tmp_path: Path) -> Iterator[Callable[..., FunctionProcess]]:
    """Starts any source, given as file name -> text; not waited for."""
    with contextlib.ExitStack() as running:
        yield _starter(command, tmp_path, running)


@pytest.fixture
def start_python(
    python_command: list[str], tmp_path: Path
) -> Iterator[Callable[..., FunctionProcess]]:
    """The same for Python alone."""
    with contextlib.ExitStack() as running:
        yield _starter(python_command, tmp_path, running)


@pytest.fixture
def start_node(node_command: list[str], tmp_path: Path) -> Iterator[Callable[..., FunctionProcess]]:
    """The same for Node.js alone."""
    with contextlib.ExitStack() as running:
        yield _starter(node_command, tmp_path, running)


def _starter(
    command: list[str], root: Path, running: contextlib.ExitStack
) -> Callable[..., FunctionProcess]:
    def start(files: dict[str, str], handler: str, **environment: str) -> FunctionProcess:
        (root / "source").mkdir(exist_ok=True)
        for name, text in files.items():
            # `packages/...` and `node_modules/...` lie beside the source, all else is the source.
            folder = root if name.split("/")[0] in ("packages", "node_modules") else root / "source"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        settings = {"FUNCTION_HANDLER": handler, **environment}
        process = FunctionProcess(command, root, settings)
        running.callback(process.close)
        return process

    return start
