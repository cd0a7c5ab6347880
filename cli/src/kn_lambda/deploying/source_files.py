"""The files of a source, less those that have no business in an image."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.errors import CommandError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".funcignore"
# What is told about a function is not part of its code: a change of it must not build again.
# Files named .env hold secrets more often than not; `!.env` in a .funcignore brings them back.
_ALWAYS_IGNORED = (
    ".git", ".hg", ".svn", "__pycache__", "*.py[co]", "node_modules", ".venv", "venv", ".tox",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode", ".DS_Store", ".env",
    ".env.*", f"/{FILE_NAME}", f"/{IGNORE_FILE}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file; `path` is relative, with `/`."""

    path: str
    content: bytes
    is_executable: bool = False


def read_source(
    path: Path, *, max_bytes: int, max_files: int, manifest: Path | None = None
) -> list[SourceFile]:
    """Read one file or a folder, by ascending path; `CommandError` when it is empty or too much.

    The manifest is left out, wherever in the folder it is.
    """
    names = [path] if path.is_file() else sorted(_walk(path))
    if manifest is not None:
        names = [name for name in names if name.resolve() != manifest.resolve()]
    root = path.parent if path.is_file() else path
    if not names:
        raise WrongUsageError(f"{path} holds no file that would be deployed")
    if len(names) > max_files:
        raise CommandError(
            f"{path} has {len(names)} files; at most {max_files} can be deployed",
            way_out=f"Name what is not needed in {path / IGNORE_FILE}.",
        )
    files, total = [], 0
    for name in names:
        content = name.read_bytes()
        total += len(content)
        if total > max_bytes:
            raise CommandError(
                f"{path} has more than the {max_bytes // 2**20} MiB that can be deployed",
                way_out=f"Name what is not needed in {root / IGNORE_FILE}.",
            )
        executable = bool(name.stat().st_mode & stat.S_IXUSR)
        files.append(SourceFile(name.relative_to(root).as_posix(), content, executable))
    return sorted(files, key=lambda file: file.path)


def _walk(root: Path) -> Iterator[Path]:
    ignored = _ignore_rules(root)
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        below = here.relative_to(root).as_posix() + "/" if here != root else ""
        kept = [name for name in folders if not ignored.match_file(f"{below}{name}/")]
        for name in kept:
            if (here / name).is_symlink():
                raise _link_error(here / name, "leads to a folder")
        folders[:] = kept
        for name in names:
            if not ignored.match_file(below + name):
                yield _regular(root, here / name)


def _regular(root: Path, path: Path) -> Path:
    if path.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(root.resolve()):
            raise _link_error(path, "leads out of the source")
    if not path.is_file():
        raise CommandError(
            f"{path} is not a regular file", way_out=f"Remove it, or name it in {IGNORE_FILE}."
        )
    return path


def _link_error(path: Path, problem: str) -> CommandError:
    return CommandError(
        f"the link {path} {problem}",
        way_out=f"Put the files themselves there, or name it in {IGNORE_FILE}.",
    )


def _ignore_rules(root: Path) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 # only for deploy

    own = root / IGNORE_FILE
    lines = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    return GitIgnoreSpec.from_lines([*_ALWAYS_IGNORED, *lines])
