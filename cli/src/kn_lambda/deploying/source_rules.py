"""Which files of a source are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.deploying.credential_files import CREDENTIAL_FILES
from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".funcignore"
# What is told about a function is not part of its code: a change of it must not build again.
_NO_CODE = (
    ".git", ".hg", ".svn", "__pycache__", "*.py[co]", "node_modules", ".venv", "venv", ".env/",
    ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode", ".DS_Store",
    f"/{FILE_NAME}", f"/{IGNORE_FILE}",
)  # fmt: skip


class SourceRules:
    """What stays here: no code, what a .funcignore names, and files that hold credentials.

    Paths are relative to the source. A pattern of `include`, or one after `!` in the .funcignore,
    brings back what it matches.
    """

    def __init__(self, folder: Path | None, include: Sequence[str]) -> None:
        own = _lines(folder / IGNORE_FILE) if folder is not None else []
        self._included = {pattern: _included(pattern) for pattern in include}
        wanted = [f"!{line}" for lines in self._included.values() for line in lines]
        self._ignored = _spec([*_NO_CODE, *own, *wanted])
        exceptions = (line for line in own if line.startswith("!"))
        self._credentials = _spec([*CREDENTIAL_FILES, *exceptions, *wanted])

    def ignores(self, path: str) -> bool:
        """Whether it stays here without a word; a folder's path ends in `/`."""
        return self._ignored.match_file(path)

    def require_included(self, paths: Sequence[str]) -> None:
        """Refuse a pattern of `include` that matches none of what is deployed: it is a mistake."""
        for pattern, lines in self._included.items():
            if not any(_spec(lines).match_files(paths)):
                raise WrongUsageError(
                    f"--include {pattern!r} matches no file of the source",
                    hint="Patterns are those of .gitignore, relative to the source.",
                )

    def hold_credentials(self, path: str, target: str | None = None) -> bool:
        """Whether that file, or the file that it is a link to, is one to be kept back."""
        verdict = self._credentials.check_file(path).include
        if verdict is None and target is not None:
            verdict = self._credentials.check_file(target).include
        return bool(verdict)


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        _require_pattern(line, f"{file}, line {number}")
    return lines


def _included(pattern: str) -> tuple[str, str]:
    if not pattern or pattern.startswith("!"):
        raise WrongUsageError(f"--include {pattern!r} is no pattern such as .npmrc or certs/*.pem")
    _require_pattern(f"!{pattern}", "--include")
    # The second is for a folder, whose name brings back all that it holds.
    return pattern, f"{pattern.rstrip('/')}/**"


def _require_pattern(line: str, where: str) -> None:
    try:
        _spec([line])
    except ValueError as error:
        raise WrongUsageError(f"{where}: {line!r} is no pattern as in .gitignore") from error


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 # only for deploy

    return GitIgnoreSpec.from_lines(lines)
