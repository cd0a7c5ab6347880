"""Reads the files of a source, without those that do not belong in an image."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kn_lambda.deploying.credential_files import CREDENTIALS_HINT, left_out_text
from kn_lambda.deploying.source_rules import IGNORE_FILE, SourceRules
from kn_lambda.errors import CommandError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WHITEOUT = ".wh."


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file; `path` is relative, with `/`."""

    path: str
    content: bytes
    is_executable: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The files to deploy, sorted by path; `left_out` names those that may hold credentials."""

    files: list[SourceFile]
    left_out: list[str]


def read_source(
    path: Path,
    *,
    max_bytes: int,
    max_files: int,
    manifest: Path | None = None,
    include: Sequence[str] = (),
) -> Source:
    """Read one file or a folder; `CommandError` if it is empty or too large.

    The manifest is left out, wherever in the folder it is. Files that match `include` are not.
    """
    is_folder = path.is_dir()
    root = path if is_folder else path.parent
    rules = SourceRules(path if is_folder else None, include)
    names = sorted(_walk(path, rules)) if is_folder else [path]
    if manifest is not None:
        names = [name for name in names if os.path.realpath(name) != os.path.realpath(manifest)]
    left_out = {name: named for name in names if (named := _left_out(root, name, rules))}
    kept = [name for name in names if name not in left_out]
    _require_some(path, kept, max_files, list(left_out.values()))
    for name in kept:
        _require_name(root, name)
    rules.require_included([_relative(root, name) for name in kept])
    if is_folder:
        for name in kept:
            _require_regular(root, name)
    return Source(_read(root, kept, max_bytes), list(left_out.values()))


def _left_out(root: Path, name: Path, rules: SourceRules) -> str:
    """Return how to name a file that is left out; an empty string if it is deployed."""
    own = _relative(root, name)
    if not name.is_symlink():
        return own if rules.hold_credentials(own) else ""
    # A link deploys the contents of its target.
    target = os.path.relpath(os.path.realpath(name), os.path.realpath(root))
    return f"{own} (a link to {target})" if rules.hold_credentials(own, target) else ""


def _require_some(path: Path, kept: list[Path], max_files: int, left_out: list[str]) -> None:
    if not kept:
        raise WrongUsageError(
            f"{path} has no files to deploy" + (f"; {left_out_text(left_out)}" if left_out else ""),
            hint=CREDENTIALS_HINT if left_out else "",
        )
    if len(kept) > max_files:
        raise CommandError(
            f"{path} has {len(kept)} files; the limit is {max_files}",
            hint=f"List files that are not needed in {path / IGNORE_FILE}.",
        )


def _read(root: Path, names: Sequence[Path], max_bytes: int) -> list[SourceFile]:
    files, total = [], 0
    for name in names:
        with name.open("rb") as file:
            # No more than may be kept: a file may be larger than the memory.
            content = file.read(max_bytes - total + 1)
        total += len(content)
        if total > max_bytes:
            raise CommandError(
                f"{root} is larger than the limit of {max_bytes // 2**20} MiB",
                hint=f"List files that are not needed in {root / IGNORE_FILE}.",
            )
        executable = bool(name.stat().st_mode & stat.S_IXUSR)
        files.append(SourceFile(_relative(root, name), content, executable))
    return sorted(files, key=lambda file: file.path)


def _walk(root: Path, rules: SourceRules) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        below = here.relative_to(root).as_posix() + "/" if here != root else ""
        kept = [name for name in folders if not rules.ignores(f"{below}{name}/")]
        for name in kept:
            if (here / name).is_symlink():
                raise _link_error(here / name, "points to a folder")
        folders[:] = kept
        for name in names:
            if not rules.ignores(below + name):
                yield here / name


def _relative(root: Path, name: Path) -> str:
    return name.relative_to(root).as_posix()


def _require_name(root: Path, path: Path) -> None:
    if any(part.startswith(_WHITEOUT) for part in path.relative_to(root).parts):
        raise CommandError(
            f"{path}: in an image, a name that begins with {_WHITEOUT} removes other files",
            hint=f"Rename it, or list it in {IGNORE_FILE}.",
        )
    try:
        _relative(root, path).encode()
    except UnicodeEncodeError:
        raise CommandError(
            f"the name of {str(path)!r} is not text in UTF-8",
            hint=f"Rename it, or list its folder in {IGNORE_FILE}.",
        ) from None


def _require_regular(root: Path, path: Path) -> None:
    if path.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root.resolve()):
            raise _link_error(path, "points outside the source")
    if not path.is_file():
        raise CommandError(
            f"{path} is not a regular file", hint=f"Remove it, or list it in {IGNORE_FILE}."
        )


def _link_error(path: Path, problem: str) -> CommandError:
    return CommandError(
        f"the link {path} {problem}",
        hint=f"Replace it with the files, or list it in {IGNORE_FILE}.",
    )
