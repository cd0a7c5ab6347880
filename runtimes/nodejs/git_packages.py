"""A commit of a git repository as the archive of a package; none of its programs run."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from installer_errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asked_versions import AskedVersion


def archive_of(asked: AskedVersion, environment: Mapping[str, str]) -> bytes:
    """The files of the commit, packed as npm packs a package; `RecipeError` says why not."""
    git = shutil.which("git", path=environment.get("PATH"))
    if git is None:
        raise RecipeError("InstallerMissing", "git is not installed", temporary=True)
    with tempfile.TemporaryDirectory(prefix="git-") as folder:
        settings = {
            "HOME": folder,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": "https",
            "LC_ALL": "C",
        }
        if extra := environment.get("NODE_EXTRA_CA_CERTS"):
            settings["GIT_SSL_CAINFO"] = str(_with_system_s(Path(extra), Path(folder)))
        known = {name: value for name, value in environment.items() if _is_of_machine(name)}

        def run(*arguments: str) -> str | None:
            """What went wrong."""
            # Where a server leads is not what was allowed.
            command = [git, "-c", "http.followRedirects=false", "-C", folder, *arguments]
            process = subprocess.run(
                command,
                env={**known, **settings},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
            return process.stderr.decode(errors="replace").strip() if process.returncode else None

        commit, archive = str(asked.commit), Path(folder) / "package.tgz"
        fetch = ("fetch", "--quiet", "--depth=1", "--no-tags")
        pack = ("archive", "--format=tar.gz", "--prefix=package/", f"--output={archive}", commit)
        problem = run("init", "--quiet", ".")
        # Some servers know a repository by one of the two only.
        problem = problem or (
            run(*fetch, f"{asked.address}.git", commit) and run(*fetch, str(asked.address), commit)
        )
        if problem := problem or run(*pack):
            message = f"{asked.address}: git cannot read commit {commit}: {problem}"
            raise RecipeError("PackageSourceUnavailable", message)
        return archive.read_bytes()


def _is_of_machine(name: str) -> bool:
    return name == "PATH" or name.lower().endswith("_proxy")


def _with_system_s(extra: Path, folder: Path) -> Path:
    # What git is told replaces the certificates of the system.
    system = ssl.get_default_verify_paths().cafile
    files = [extra, *([Path(system)] if system else [])]
    bundle = folder / "certificates.pem"
    bundle.write_bytes(b"\n".join(file.read_bytes() for file in files if file.is_file()))
    return bundle
