"""Environment variables that the command line gives: `--env-file`, and `--env` on top of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def given_variables(file: Path | None, settings: Iterable[str]) -> dict[str, str]:
    """Return the variables by name; `WrongUsageError` names a line or option, never a value."""
    variables = _of_file(file) if file else {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise WrongUsageError(f"--env must be NAME=VALUE, not {name!r}")
        variables[name] = value
    return variables


def _of_file(path: Path) -> dict[str, str]:
    """Return its lines as they are: `${NAME}` in a value refers to nothing on this machine."""
    from dotenv.parser import parse_stream  # noqa: PLC0415 # only where it is used

    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsageError(f"--env-file {path} cannot be read: {error}") from error
    variables = {}
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            raise WrongUsageError(
                f"--env-file {path}, line {binding.original.line}: this is not NAME=VALUE"
            )
        if binding.key is not None:
            variables[binding.key] = binding.value or ""
    return variables
