"""Files of environment variables, as for `docker run --env-file` and python-dotenv."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "A line is NAME=VALUE, a comment that begins with #, or empty."


def read_env_file(path: Path) -> dict[str, str]:
    """Read the file as it is: `$NAME` in a value is text, never a variable of this machine.

    `WrongUsageError` names the line at fault, and no part of it: it may be a secret.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 # only for --env-file

    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        # A binding begins with the empty lines above it.
        text = binding.original.string
        line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        if binding.error:
            raise WrongUsageError(f"{path}, line {line} is not NAME=VALUE", hint=_FORMAT)
        if binding.key is None:
            continue
        if binding.value is None:
            raise WrongUsageError(
                f"{path}, line {line} has no value", hint="Write NAME= for an empty value."
            )
        require_variable_name(binding.key, f"{path}, line {line}")
        variables[binding.key] = binding.value
    return variables


def require_variable_name(name: str, where: str) -> None:
    """Raise `WrongUsageError` unless this can be the name of a variable."""
    from knative_lambda.domain.set_fields import is_set_field  # noqa: PLC0415 # a quick --help

    if not is_set_field(f"env.{name}"):
        raise WrongUsageError(
            f"{where}: the name is not that of a variable",
            hint="A name has letters, digits and _, and does not begin with a digit.",
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise WrongUsageError(
            f"{path}, line {line} is not text in UTF-8", hint="Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise WrongUsageError(
            f"--env-file: cannot read {path}: {error.strerror}",
            hint="Name a file that you may read.",
        ) from error
