"""Which fields of a spec were set by an option, and so stay when the source is deployed again."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

MAX_SET_FIELDS = 250
"""More than a spec has: 200 variables and ten settings."""

# No other field: what describes the code comes with the code.
_PATTERN = (
    r"^(env\.[A-Za-z_][A-Za-z0-9_]{0,255}|scale\.(min|max|target|concurrency|burstCapacity)"
    r"|resources\.(requests|limits)\.(cpu|memory)|timeoutSeconds)$"
)
_PATH = re.compile(_PATTERN.removeprefix("^").removesuffix("$"), re.ASCII)

SetField = Annotated[str, StringConstraints(pattern=_PATTERN)]
"""The path of one field, such as `env.LOG_LEVEL` or `resources.limits.memory`."""


def is_set_field(path: str) -> bool:
    """Whether this is the path of a field that an option can set."""
    return _PATH.fullmatch(path) is not None


def read_set_fields(text: str) -> list[str]:
    """Return the paths in a comma-separated list, in order; anybody may have written the rest."""
    paths = sorted({path for path in text.split(",") if is_set_field(path)})
    return paths[:MAX_SET_FIELDS]


def write_set_fields(paths: list[str]) -> str:
    """Return the list that `read_set_fields` reads."""
    return ",".join(paths)
