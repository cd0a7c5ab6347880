"""Quantities as Kubernetes writes them: `100m`, `1.5Gi`, `129e6`, or a whole number."""

from __future__ import annotations

import re
from decimal import Decimal

PATTERN = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$"
MAX_LENGTH = 20

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([numkKMGTPE]i?)|[eE]([+-]?[0-9]{1,2}))?", re.ASCII)
_SUFFIXES = {
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("num", start=-3)},
    **{suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


def parse_quantity(quantity: str | int) -> Decimal:
    """Return how much a quantity is; `ValueError` where it is none."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None or (match[2] and match[2] not in _SUFFIXES):
        raise ValueError(f"{str(quantity)[:40]!r} is no quantity such as 500m, 512Mi or 1")
    try:
        number = Decimal(match[1])
    except ArithmeticError as error:
        raise ValueError(
            f"{str(quantity)[:40]!r} is no quantity such as 500m, 512Mi or 1"
        ) from error
    return number * _SUFFIXES.get(match[2] or "", Decimal(1)) * Decimal(10) ** int(match[3] or 0)
