"""Quantities as Kubernetes writes them: `100m`, `1.5Gi`, `129e6`, or a whole number."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from knative_lambda.domain.text import whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

PATTERN = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$"
_MAX_LENGTH = 20
_MOST = 10**18
QUANTITY_SCHEMA: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": PATTERN, "maxLength": _MAX_LENGTH},
        {"type": "integer", "minimum": 0, "maximum": _MOST},
    ]
}
"""What `checked_quantity` accepts, as JSON Schema."""

_TAKEN = re.compile(PATTERN.removesuffix("$"), re.ASCII)
_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([numkKMGTPE]i?)|[eE]([+-]?[0-9]{1,2}))?", re.ASCII)
_SUFFIXES = {
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("num", start=-3)},
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


def checked_quantity(value: object) -> str | int:
    """Return a quantity of 0 or more as it was written; `ValueError` for anything else."""
    number = whole_number(value)
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _MOST:
        return number
    is_short = isinstance(value, str) and len(value) <= _MAX_LENGTH
    if isinstance(value, str) and is_short and _TAKEN.fullmatch(value):
        return value
    hint = "; put it in quotes" if isinstance(value, float) and value >= 0 else ""
    raise ValueError(
        f"must be a quantity such as 500m, 1.5Gi or 1, of up to {_MAX_LENGTH} characters{hint}"
    )


def parse_quantity(quantity: str | int) -> Decimal:
    """Return the value of a quantity; `ValueError` for anything else."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None or (match[2] and match[2] not in _SUFFIXES):
        raise ValueError(f"{str(quantity)[:40]!r} is not a quantity such as 500m, 512Mi or 1")
    try:
        number = Decimal(match[1])
    except ArithmeticError as error:
        raise ValueError(
            f"{str(quantity)[:40]!r} is not a quantity such as 500m, 512Mi or 1"
        ) from error
    return number * _SUFFIXES.get(match[2] or "", Decimal(1)) * Decimal(10) ** int(match[3] or 0)
