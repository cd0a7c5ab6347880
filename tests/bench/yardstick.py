"""The same functions without a platform: virtual environment, installer, functions-framework."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

from tests.bench.functions import FIVE_WHEELS, WITHOUT_PACKAGES, event, source
from tests.bench.platform_process import Connection
from tests.bench.runtime_bench import free_port
from tests.bench.samples import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

# functions-framework drops what a handler returns, and names the decorated function.
_SERVED = """\
import functions_framework
import main

@functions_framework.cloud_event
def serve(event):
    main.handler(event)
"""
_PATIENCE_SECONDS = 60.0
EMPTY_CACHE, FULL_CACHE, RESTART = "empty installer cache", "full installer cache", "restart only"


def measure(rounds: int) -> Table:
    """Seconds from nothing to the first answer by `installer, kind, state of the cache`."""
    found = Table()
    for _ in range(rounds):
        for installer in ("pip", "uv"):
            for kind in (WITHOUT_PACKAGES, FIVE_WHEELS):
                with tempfile.TemporaryDirectory() as folder:
                    _measure_one(found, installer, kind, Path(folder))
    return found


def _measure_one(found: Table, installer: str, kind: str, folder: Path) -> None:
    cache = folder / "cache"
    for state, place in ((EMPTY_CACHE, folder / "first"), (FULL_CACHE, folder / "second")):
        seconds = _serve_from_nothing(installer, kind, place, cache)
        found[f"{installer}, {kind}, {state}"].add(seconds)
    found[f"{installer}, {kind}, {RESTART}"].add(_timed_start(folder / "second", kind))


def _serve_from_nothing(installer: str, kind: str, place: Path, cache: Path) -> float:
    for name, text in source(kind, 0).items():
        path = place / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (place / "source" / "served.py").write_text(_SERVED)
    requirements = place / "source" / "requirements.txt"
    wanted = ["functions-framework", *(["-r", str(requirements)] if requirements.exists() else [])]
    begin = time.perf_counter()
    _install(installer, place / "venv", wanted, cache)
    _timed_start(place, kind)
    return time.perf_counter() - begin


def _install(installer: str, environment: Path, wanted: list[str], cache: Path) -> None:
    python = str(environment / "bin" / "python")
    if installer == "pip":
        variables = {"PIP_CACHE_DIR": str(cache), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        _run([sys.executable, "-m", "venv", str(environment)], variables)
        _run([python, "-m", "pip", "install", "--quiet", *wanted], variables)
    else:
        variables = {"UV_CACHE_DIR": str(cache)}
        uv = find_uv_bin()
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], variables)
        _run([uv, "pip", "install", "--quiet", "--python", python, *wanted], variables)


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    # The rest of the environment says where packages come from.
    environment = {**os.environ, **variables}  # noqa: TID251
    subprocess.run(command, env=environment, cwd="/", check=True, stdout=subprocess.DEVNULL)


def _timed_start(place: Path, kind: str) -> float:
    """Seconds until the served function has answered its first event."""
    port = free_port()
    program = str(place / "venv" / "bin" / "functions-framework")
    options = ["--target", "serve", "--source", "served.py", "--signature-type", "cloudevent"]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [program, *options, "--host", "127.0.0.1", "--port", str(port)],
        cwd=place / "source",
        # gunicorn does not put the source's folder on the path by itself.
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(place / "source")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_answer(process, port, kind)
        return time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait()


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, kind: str) -> None:
    data, attributes = event(kind)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = Connection(f"http://127.0.0.1:{port}")
        try:
            if connection.send_event("/", data, **attributes)[0] == http.HTTPStatus.OK:
                return
            raise RuntimeError("the function refuses its event")
        except ConnectionError:
            time.sleep(0.002)
        finally:
            connection.close()
    raise TimeoutError(f"functions-framework does not answer (exit code {process.poll()})")
