"""Reads `--env-file`: NAME=VALUE lines, as Docker and many tools have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from pathlib import Path


def read_environment_file(path: Path) -> list[str]:
    """Return its settings as NAME=VALUE; `WrongUsageError` names the line, and never a value.

    Values are taken as they are: `${NAME}` refers to nothing on this machine.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 # only where it is used

    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsageError(f"--env-file {path} cannot be read: {error}") from error
    settings = []
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            raise WrongUsageError(
                f"--env-file {path}, line {binding.original.line}: this is not NAME=VALUE"
            )
        if binding.key is not None:
            settings.append(f"{binding.key}={binding.value}")
    return settings
