"""Runs npm so that it reaches nothing but this process, and runs nothing of a package."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from installer_errors import RecipeError, explain, without_credentials
from kept_output import KeptOutput, read_lines
from owner_settings import passed_on

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from index_proxy import IndexProxy

_RETRIES = ("--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--no-progress")
# It is no program: npm fetches no repository itself.
_NO_GIT = "--git=/nonexistent/git"


def find_npm(environment: Mapping[str, str]) -> str:
    """Path of npm; `InstallerMissing` where it is not installed."""
    npm = shutil.which("npm", path=environment.get("PATH"))
    if npm is None:
        raise RecipeError("InstallerMissing", "npm is not installed", temporary=True)
    return npm


def install(
    npm: str, command: str, folder: Path, environment: Mapping[str, str], proxy: IndexProxy
) -> None:
    """Install the package.json of a folder through the proxy; no script runs."""
    settings = folder.parent / "npmrc"
    arguments = [npm, command, "--omit=dev", "--ignore-scripts", *_QUIET, *_RETRIES, _NO_GIT]
    arguments += ["--omit-lockfile-registry-resolved", "--registry", proxy.translation.base]
    arguments += ["--proxy", proxy.url, "--https-proxy", proxy.url, "--noproxy", "", "--no-offline"]
    arguments += [
        "--userconfig",
        str(settings),
        "--globalconfig",
        str(settings.with_name("no-global")),
    ]
    settings.touch(mode=0o600)
    settings.write_text(proxy.credential)
    try:
        output, status = _run(arguments, folder, passed_on(environment), proxy)
    finally:
        settings.unlink()
    if proxy.refusal is not None:
        raise proxy.refusal
    if status != 0:
        raise proxy.failure or explain(output)


def run_scripts(npm: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run the install scripts of the packages in a folder."""
    arguments = [npm, "rebuild", *_QUIET, "--offline", "--foreground-scripts"]
    arguments += ["--globalconfig", str(folder.parent / "no-global")]
    arguments += ["--userconfig", str(folder.parent / "no-user")]
    output, status = _run(arguments, folder, passed_on(environment), None)
    if status != 0:
        raise explain(output)


def _run(
    arguments: list[str], folder: Path, environment: Mapping[str, str], proxy: IndexProxy | None
) -> tuple[str, int]:
    process = subprocess.Popen(
        arguments,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output = KeptOutput()
    for line in read_lines(process.stdout):
        told = without_credentials(proxy.translation.original(line) if proxy else line)
        output.add(told)
        print(told, end="", flush=True)
    if process.stdout is not None:
        process.stdout.close()
    return output.text, process.wait()
