"""Which files of a source are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.deploying.credential_files import credential_patterns
from kn_lambda.deploying.manifest import FILE_NAME
from kn_lambda.errors import WrongUsageError
from kn_lambda.languages import languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".funcignore"
# What describes a function is not part of its code: a change of it must not build again.
_NO_CODE = (
    ".git", ".hg", ".svn", ".env/", ".idea", ".vscode", ".DS_Store",
    f"/{FILE_NAME}", f"/{IGNORE_FILE}",
    # What editors write beside a file that is open: vim's, Emacs', and backups of many.
    ".*.sw[a-p]", ".#*", "\\#*#", "*~",
)  # fmt: skip


class SourceRules:
    """Leaves out files that are not code, that match .funcignore, or that hold credentials.

    Paths are relative to the source. A pattern of `include`, or one after `!` in .funcignore,
    includes its matches again.
    """

    def __init__(self, folder: Path | None, include: Sequence[str]) -> None:
        own = _lines(folder / IGNORE_FILE) if folder is not None else []
        self._included = {pattern: _included(pattern) for pattern in include}
        wanted = [f"!{line}" for lines in self._included.values() for line in lines]
        leftovers = [name for language in languages() for name in language.source.leftovers]
        self._ignored = _spec([*leftovers, *_NO_CODE, *own, *wanted])
        exceptions = (line for line in own if line.startswith("!"))
        self._credentials = _spec([*credential_patterns(), *exceptions, *wanted])

    def ignores(self, path: str) -> bool:
        """Whether the path is left out without a warning; a folder's path ends in `/`."""
        return self._ignored.match_file(path)

    def require_included(self, paths: Sequence[str]) -> None:
        """Raise `WrongUsageError` for a pattern of `include` that matches no deployed file."""
        for pattern, lines in self._included.items():
            if not any(_spec(lines).match_files(paths)):
                raise WrongUsageError(
                    f"--include {pattern!r} matches no file in the source",
                    hint="Patterns follow the rules of .gitignore, relative to the source.",
                )

    def hold_credentials(self, path: str, target: str | None = None) -> bool:
        """Whether the file, or the target of a link, usually holds credentials."""
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
        raise WrongUsageError(
            f"--include {pattern!r} is not a pattern",
            hint="Name files as in .gitignore, such as .env or certs/*.pem.",
        )
    _require_pattern(f"!{pattern}", "--include")
    # The second is for a folder, whose name includes everything in it.
    return pattern, f"{pattern.rstrip('/')}/**"


def _require_pattern(line: str, where: str) -> None:
    try:
        _spec([line])
    except ValueError as error:
        raise WrongUsageError(
            f"{where}: {line!r} is not a valid .gitignore pattern",
            hint="Patterns are names and paths with *, ** and ?; a leading ! makes an exception.",
        ) from error


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 # only for deploy

    return GitIgnoreSpec.from_lines(lines)
