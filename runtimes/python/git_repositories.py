"""Fetches one commit of a repository, without running anything that is in it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from installer_errors import RecipeError, without_credentials
from source_text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PASSED = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# No other helper, no redirect to somewhere else, no program of a filter, no question.
_SETTINGS = {
    "http.followRedirects": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.http.allow": "always",
    "core.hooksPath": "/dev/null",
    "core.symlinks": "false",
    "credential.helper": "",
}


def fetch_commit(
    repository: str, commit: str, folder: Path, told: str, environment: Mapping[str, str]
) -> None:
    """Fill the folder with the files of a commit; `PackageSourceUnavailable` if it is not there."""
    git = shutil.which("git", path=environment.get("PATH"))
    if git is None:
        message = "packages from git need git in the builder"
        raise RecipeError("InstallerMissing", message, temporary=True)
    folder.mkdir()
    passed = {
        name: value
        for name, value in environment.items()
        if name in _PASSED or name.upper() in _PASSED
    }
    clean = {
        **passed,
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    }
    for number, (name, value) in enumerate(_SETTINGS.items()):
        clean |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    for arguments in (
        ("init", "--quiet"),
        ("fetch", "--quiet", "--depth", "1", "--no-tags", "--", repository, commit),
        ("checkout", "--quiet", "--detach", commit),
    ):
        done = subprocess.run(
            [git, *arguments],
            cwd=folder,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            said = shown(" ".join(without_credentials(done.stdout).split()))
            message = f"{told}: {shown(repository)} cannot be fetched: {said}"
            raise RecipeError("PackageSourceUnavailable", message)
    shutil.rmtree(folder / ".git")
