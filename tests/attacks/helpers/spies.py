"""Code of strangers that looks around, and tries to stay, wherever it comes to run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.package_indexes import tarball

if TYPE_CHECKING:
    from pathlib import Path

SDIST = "evil-1.0.tar.gz"
STAYS = "stays-behind"

# It writes what it found, and whom it could not be kept from, into one file of the test.
_SPY = """
import ctypes, glob, json, os, pathlib, socket, subprocess, sys, time
report, target = pathlib.Path({report!r}), {target!r}
found = {{"environment": dict(os.environ), "arguments": sys.argv, "read": [], "sockets": []}}
for process in glob.glob("/proc/[0-9]*"):
    for name in ("environ", "cmdline", "mem", "maps"):
        try:
            with open(f"{{process}}/{{name}}", "rb") as file:
                content = file.read() if name != "mem" else file.read(1)
            found["read"].append([name, content.decode("latin-1")])
        except (OSError, ValueError):
            pass
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_DGRAM if family > 10 else socket.SOCK_STREAM).close()
        found["sockets"].append(int(family))
    except OSError:
        pass
try:
    os.kill(os.getppid(), 0)
except OSError:
    pass
# What would be executed by whoever starts later with this home, folder or packages.
code = "import sys; open(" + repr(target + "/{ran}") + ", 'a').write('x')\\n"
version = "python%d.%d" % sys.version_info[:2]
home = pathlib.Path(os.environ["HOME"])
workspace = next((p for p in home.parents if (p / "source").is_dir()), home)
places = [home, workspace, workspace / "packages", pathlib.Path(os.environ["TMPDIR"])]
places += [workspace.parent / "home", workspace.parent / "tmp"]
found["planted"] = []
for place in places:
    for name in (f".local/lib/{{version}}/site-packages/evil.pth", "sitecustomize.py",
                 "lambda_oci/__init__.py", "lambda_builder/__init__.py", "json.py",
                 ".docker/config.json", ".config/uv/uv.toml", ".netrc"):
        try:
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code)
            found["planted"].append(str(file))
        except OSError:
            pass
report.write_text(json.dumps(found))
# One that leaves group and session, and goes on changing packages while they are packed.
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        pathlib.Path(target, "{stays}").write_text(str(os.getpid()))
        while True:
            try:
                (workspace / "packages" / "{stays}").write_text(str(os.getpid()))
            except OSError:
                pass
            time.sleep(0.001)
    os._exit(0)
while not os.path.exists(target + "/{stays}"):
    time.sleep(0.005)
"""
_BACKEND = """
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    exec(SPY)
    name = "evil-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("evil/__init__.py", "BUILT = 1")
        archive.writestr("evil-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n")
        archive.writestr("evil-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("evil-1.0.dist-info/RECORD", "")
    return name
build_editable = build_wheel
"""
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "evil"
version = "1.0"
"""


def spy(report: Path, target: Path, ran: str) -> str:
    return _SPY.format(report=str(report), target=str(target), ran=ran, stays=STAYS)


def spying_project(code: str) -> dict[str, str]:
    """A project whose build backend is this code."""
    return {"pyproject.toml": _PROJECT, "backend.py": f"SPY = {json.dumps(code)}\n{_BACKEND}"}


def spying_sdist(code: str) -> bytes:
    return tarball({f"evil-1.0/{name}": text for name, text in spying_project(code).items()})
