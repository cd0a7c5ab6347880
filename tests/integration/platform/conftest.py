from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.platform.helpers.platform_process import PlatformProcess, processes_of

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "builds"}}
PYTHON = Path(__file__).parents[3] / "runtimes" / "python"
RUNTIME = f"""
language = "python"
versions = ["{sys.version_info.major}.{sys.version_info.minor}"]
entrypoint = ["python", "/runtime/server.py"]
server = "server"
packages = "packages"
default_handler = "main.handler"
recipe = ["python", "recipe.py"]

[interpreter]
probe = ["python{{version}}", "--version"]
reply = 'Python (?P<version>[0-9]+[.][0-9]+)[.].*'
install = "nothing"

[interpreter.environment]
command = ["python", "environment.py"]
inputs = ["requirements.txt"]
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A checkout with one runtime and no functions."""
    folder = tmp_path / "installation"
    server = folder / "runtimes" / "python" / "server"
    server.mkdir(parents=True)
    (server / "server.py").write_text("")
    (server.parent / "runtime.toml").write_text(RUNTIME)
    (server.parent / "requirements.txt").write_text("")
    for name in ("environment.py", "certificates.py"):
        shutil.copy(PYTHON / name, server.parent)
    (folder / "functions").mkdir()
    config = folder / "config" / "overlays" / "dev"
    config.mkdir(parents=True)
    (config / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["namespace.yaml"]}))
    (config / "namespace.yaml").write_text(yaml.safe_dump(NAMESPACE))
    return folder


@pytest.fixture
def platform(tmp_path: Path, installation: Path):
    """A platform on free ports that was not started yet; Jobs may write to the test's folder."""
    ports = ["--port", "0", "--broker-port", "0", "--api-port", "0"]
    arguments = [*ports, "--installation", str(installation), "--no-sandbox"]
    process = PlatformProcess(tmp_path / "home", arguments)
    yield process
    if hasattr(process, "process") and process.process.poll() is None:
        process.kill()
    for pid in processes_of(process.home):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def hold(tmp_path: Path) -> str:
    """A script that leaves its pid in the file `pid`, then waits for the file `go`."""
    return (
        f"import os, pathlib, time; here = pathlib.Path({str(tmp_path)!r}); "
        "part = here / f'{os.getpid()}.part'; part.write_text(str(os.getpid())); "
        "part.rename(here / 'pid')\n"
        "while not (here / 'go').exists(): time.sleep(0.01)"
    )
