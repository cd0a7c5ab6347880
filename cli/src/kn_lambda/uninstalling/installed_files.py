"""What `uninstall` leaves alone but names: caches, completion scripts, and the program itself."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_embedded.installation import INSTALLATION

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where `kn-lambda completion --help` says to put them.
COMPLETION_FILES = (
    Path("~/.local/share/bash-completion/completions/kn-lambda"),
    Path("~/.zfunc/_kn-lambda"),
    Path("~/.config/fish/completions/kn-lambda.fish"),
)
_CACHE = "knative-lambda"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledFile:
    """A file or folder, and the command that removes it."""

    what: str
    path: Path
    remove: str


def installed_files() -> Iterator[InstalledFile]:
    """Yield what exists outside of the data folder; the program comes last."""
    for path in (file.expanduser() for file in COMPLETION_FILES):
        if os.path.lexists(path):
            yield _file("completion", path)
    cache = _cache_folder() / _CACHE
    if cache.is_dir():
        yield _file("cache", cache)
    yield _program(Path(sys.prefix))


def _file(what: str, path: Path) -> InstalledFile:
    return InstalledFile(what=what, path=path, remove=shlex.join(["rm", "-r", str(path)]))


def _cache_folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")  # noqa: TID251 # a convention of the desktop
    return Path(given or "~/.cache").expanduser()


def _program(prefix: Path) -> InstalledFile:
    if (prefix / "pipx_metadata.json").is_file():
        remove = f"pipx uninstall {prefix.name}"
    elif (prefix / "uv-receipt.toml").is_file():
        remove = f"uv tool uninstall {prefix.name}"
    elif prefix == INSTALLATION / ".venv":
        remove = shlex.join(["make", "-C", str(INSTALLATION), "clean"])
    else:
        remove = shlex.join([sys.executable, "-m", "pip", "uninstall", "kn-lambda"])
    return InstalledFile(what="program", path=prefix, remove=remove)
