"""What is wrong with a field, in the words of kube-apiserver."""

from __future__ import annotations

import json
from dataclasses import dataclass

# A value can be a whole file, and a person wants to see which one it is.
_SHOWN = 100
_LONGEST = 200
_LONGEST_MESSAGE = 1000

MOST_CAUSES = 100
"""Enough to see what is wrong, even with a hostile object of a million faults."""

# Fields with one of these have the wrong shape, so rules cannot be evaluated on them.
_SHAPELESS = frozenset(
    {
        "FieldValueRequired", "FieldValueTypeInvalid", "FieldValueNotSupported",
        "FieldValueTooLong", "FieldValueTooMany",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """An invalid field: its path, a reason for programs, and a message for people."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __post_init__(self) -> None:
        """Cut long values of a client."""
        object.__setattr__(self, "field", cut(self.field))
        object.__setattr__(self, "message", cut(self.message, _LONGEST_MESSAGE))

    @property
    def hides_rules(self) -> bool:
        """Whether rules cannot be evaluated on an object with this fault."""
        return self.reason in _SHAPELESS

    def __str__(self) -> str:
        """Return field and message, as in the message of a response."""
        return f"{self.field}: {self.message}"


def required(field: str) -> Cause:
    """A required field is missing."""
    return Cause(field, "Required value", "FieldValueRequired")


def wrong_type(field: str, wanted: str, found: str) -> Cause:
    """A value has the wrong type."""
    message = f'Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'
    return Cause(field, message, "FieldValueTypeInvalid")


def unsupported(field: str, value: object, supported: tuple[object, ...]) -> Cause:
    """A value is not one of those supported."""
    taken = ", ".join(json.dumps(each) for each in supported)
    message = f"Unsupported value: {shown(value)}: supported values: {taken}"
    return Cause(field, message, "FieldValueNotSupported")


def out_of_bounds(field: str, value: object, should: str) -> Cause:
    """A value has the right type and is out of bounds."""
    return Cause(field, f"Invalid value: {shown(value)}: {field} in body should {should}")


def too_long(field: str, limit: int) -> Cause:
    """A string is over its limit."""
    return Cause(field, f"Too long: may not be more than {limit} bytes", "FieldValueTooLong")


def too_many(field: str, count: int, limit: int) -> Cause:
    """There are more items or fields than allowed."""
    message = f"Too many: {count}: must have at most {limit} items"
    return Cause(field, message, "FieldValueTooMany")


def duplicate(field: str, value: object) -> Cause:
    """A second item has the same key."""
    return Cause(field, f"Duplicate value: {shown(value)}", "FieldValueDuplicate")


def invalid(field: str, message: str) -> Cause:
    """A value is invalid in any other way."""
    return Cause(field, f"Invalid value: {message}")


def shown(value: object) -> str:
    """Return a value as JSON, cut if it is long."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def cut(text: str, longest: int = _LONGEST) -> str:
    """Return a text, cut to what a person reads."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
