"""What is wrong with a field, in the words of kube-apiserver."""

from __future__ import annotations

import json
from dataclasses import dataclass

# A value can be a whole file, and a person wants to see which one it is.
_SHOWN = 100
_LONGEST = 200
_LONGEST_MESSAGE = 1000

MOST_CAUSES = 100
"""Enough to see what is wrong, of a hostile object with a million faults."""

# Fields with one of these are not even of the right shape, so rules about them would stumble.
_SHAPELESS = frozenset(
    {
        "FieldValueRequired", "FieldValueTypeInvalid", "FieldValueNotSupported",
        "FieldValueTooLong", "FieldValueTooMany",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """A field at fault: its path, a word for programs, and what is wrong, for a person."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __post_init__(self) -> None:
        """Cut what a client made long."""
        object.__setattr__(self, "field", cut(self.field))
        object.__setattr__(self, "message", cut(self.message, _LONGEST_MESSAGE))

    @property
    def hides_rules(self) -> bool:
        """Whether rules cannot be asked about an object with this fault."""
        return self.reason in _SHAPELESS

    def __str__(self) -> str:
        """Return field and message, as they stand in the message of an answer."""
        return f"{self.field}: {self.message}"


def required(field: str) -> Cause:
    """A field that has to be there."""
    return Cause(field, "Required value", "FieldValueRequired")


def wrong_type(field: str, wanted: str, found: str) -> Cause:
    """A value of another type."""
    message = f'Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'
    return Cause(field, message, "FieldValueTypeInvalid")


def unsupported(field: str, value: object, supported: tuple[object, ...]) -> Cause:
    """A value that is none of those that are taken."""
    taken = ", ".join(json.dumps(each) for each in supported)
    message = f"Unsupported value: {shown(value)}: supported values: {taken}"
    return Cause(field, message, "FieldValueNotSupported")


def out_of_bounds(field: str, value: object, should: str) -> Cause:
    """A value of the right type that is not as it should be."""
    return Cause(field, f"Invalid value: {shown(value)}: {field} in body should {should}")


def too_long(field: str, limit: int) -> Cause:
    """A text over its limit."""
    return Cause(field, f"Too long: may not be more than {limit} bytes", "FieldValueTooLong")


def too_many(field: str, count: int, limit: int) -> Cause:
    """More items or fields than are taken."""
    message = f"Too many: {count}: must have at most {limit} items"
    return Cause(field, message, "FieldValueTooMany")


def duplicate(field: str, value: object) -> Cause:
    """A second item of the same key."""
    return Cause(field, f"Duplicate value: {shown(value)}", "FieldValueDuplicate")


def invalid(field: str, message: str) -> Cause:
    """Anything else."""
    return Cause(field, f"Invalid value: {message}")


def shown(value: object) -> str:
    """Return a value as JSON, its beginning where it is long."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def cut(text: str, longest: int = _LONGEST) -> str:
    """Return a text, its beginning where it is longer than a person reads."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
