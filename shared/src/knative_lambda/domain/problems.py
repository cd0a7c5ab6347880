"""What is wrong with a value, in the words of JSON instead of Python's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "extra_forbidden": "no such field",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be an object",
    "string_type": "must be a string",
}
_SUBJECT = re.compile(r"^(Value error, |(\w+) should (?=\w))")


def place_of(problem: ErrorDetails) -> str:
    """Return the field, such as `env.0.name`; empty where it is the value as a whole."""
    return ".".join(str(part) for part in problem["loc"])


def words_of(problem: ErrorDetails) -> str:
    """Return what is wrong with that field, as what follows its name."""
    known = _WORDS.get(problem["type"])
    if known is not None:
        return known
    words = _SUBJECT.sub(lambda found: "must " if found[2] else "", problem["msg"])
    return words.replace(" after validation", "")
