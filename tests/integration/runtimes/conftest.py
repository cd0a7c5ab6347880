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

from tests.integration.runtimes.helpers.function_process import FunctionProcess
from tests.integration.runtimes.helpers.node_packages import installed
from tests.integration.runtimes.helpers.sources import NODE_SOURCE, PYTHON_SOURCE

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
    with _made_once(environment) as missing:
        if missing:
            _uv("venv", "--quiet", "--clear", "-p", sys.executable, environment)
            install = ("pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes")
            _uv(*install, "-p", environment / "bin" / "python", lock)
    return [str(environment / "bin" / "python"), str(RUNTIMES / "python" / "server" / "server.py")]


@pytest.fixture(scope="session")
def python_packages() -> Callable[..., Path]:
    """A folder with these packages and what they need, as the recipe leaves it in an image."""

    def folder_of(*requirements: str) -> Path:
        version = "{}.{}".format(*sys.version_info[:2])
        key = hashlib.sha256("\n".join([version, *requirements]).encode()).hexdigest()[:16]
        folder = REPOSITORY / ".cache" / f"python-packages-{key}"
        with _made_once(folder) as missing:
            if missing:
                shutil.rmtree(folder, ignore_errors=True)
                install = ("pip", "install", "--quiet", "--only-binary", ":all:")
                _uv(*install, "-p", sys.executable, "--target", folder, *requirements)
        return folder

    return folder_of


@contextlib.contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Whether it is still to be made; other test processes wait meanwhile."""
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        missing = not (folder / "complete").exists()
        yield missing
        if missing:
            (folder / "complete").touch()


def _uv(*arguments: str | Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    subprocess.run([uv, *arguments], check=True)


@pytest.fixture(scope="session")
def node_command(require_server: Callable[[str, str], str]) -> list[str]:
    node = require_server("node", "apt-get install nodejs, version 18 or newer")
    return [node, str(RUNTIMES / "nodejs" / "server" / "server.js")]


@pytest.fixture(scope="session")
def packages(require_server: Callable[[str, str], str]) -> Callable[[str], Path]:
    """The `node_modules` of a locked set of packages of `node_packages`."""
    npm = require_server("npm", "apt-get install npm")
    return lambda name: installed(npm, name)


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
