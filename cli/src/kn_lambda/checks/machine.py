"""Programs on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from kn_lambda.checks.check import Check, Verdict
from kn_lambda.cluster.connecting import platform_info
from lambda_sandbox.isolation import NoSandboxError, find_bubblewrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_OLDEST_PYTHON = (3, 11)
_OLDEST_NODE = 18
_SECONDS = 10
_INSTALL_BUBBLEWRAP = "Install it: apt-get install bubblewrap. Then restart kn-lambda up."
_ALLOW_BUBBLEWRAP = (
    "Permit user namespaces: on Ubuntu, add an AppArmor profile for bwrap with the rule userns;"
    " in a container, grant the container more rights."
)


def check_machine(home: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Check Python, uv, Node.js, and bubblewrap for a platform in `home`."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check(
        name="Python",
        verdict=Verdict.OK if sys.version_info >= _OLDEST_PYTHON else Verdict.FAILED,
        found=version,
        hint="Install Python 3.11 or newer.",
    )
    yield _check_uv()
    yield _check_node()
    yield _check_bubblewrap(home, environment)


def _check_uv() -> Check:
    try:
        from uv import find_uv_bin  # noqa: PLC0415 # report a missing package, do not raise

        found = _version_of(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = None
    return Check(
        name="uv",
        verdict=Verdict.OK if found else Verdict.FAILED,
        found=found or "not found: Python functions cannot have packages",
        hint="Install it in the environment of kn-lambda: pip install uv",
    )


def _check_node() -> Check:
    program = shutil.which("node")
    found = _version_of(program) if program else None
    major = (found or "").removeprefix("v").partition(".")[0]
    if major.isdecimal() and int(major) >= _OLDEST_NODE:
        npm = _version_of(shutil.which("npm") or "")
        verdict = Verdict.OK if npm else Verdict.WARNING
        return Check(
            name="Node.js",
            verdict=verdict,
            found=f"{found}, npm {npm}" if npm else f"{found}, no npm",
            hint="Install npm: apt-get install npm",
        )
    return Check(
        name="Node.js",
        verdict=Verdict.WARNING,
        found=f"{found} is too old" if found else "not on PATH: Node.js functions do not work",
        hint="For Node.js functions: apt-get install nodejs npm. Then restart kn-lambda up.",
    )


def _check_bubblewrap(home: Path, environment: Mapping[str, str]) -> Check:
    try:
        find_bubblewrap(home, environment)
    except NoSandboxError as error:
        installed = shutil.which("bwrap", path=environment.get("PATH"))
        return Check(
            name="bubblewrap",
            verdict=Verdict.WARNING,
            found=f"{error}: builds and functions of kn-lambda up run with all your rights",
            hint=_ALLOW_BUBBLEWRAP if installed else _INSTALL_BUBBLEWRAP,
        )
    if platform_info(home).get("sandbox") is False:
        return Check(
            name="bubblewrap",
            verdict=Verdict.WARNING,
            found="works, but the running platform was started without it",
            hint="Restart it without --no-sandbox and with bwrap on its PATH.",
        )
    version = _version_of(shutil.which("bwrap", path=environment.get("PATH")) or "")
    return Check(name="bubblewrap", verdict=Verdict.OK, found=version or "works")


def _version_of(program: str) -> str | None:
    if not program:
        return None
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
