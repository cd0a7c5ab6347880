"""JSON that every language reads as the same value; what only some of them can hold is rejected."""

from __future__ import annotations

import json
import math
import re
from array import array
from itertools import accumulate
from typing import Any, NoReturn

MAX_DEPTH = 512
"""Levels of arrays and objects; languages give up at different depths beyond."""
# No shorter integer is beyond the numbers that a double holds.
_DIGITS_OF_ANY_DOUBLE = 308
_STRING = re.compile(rb'"[^"]*"')
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


def loads(body: bytes) -> Any:
    """Read JSON in UTF-8, with or without a byte order mark; `ValueError` for what is none.

    NaN, numbers beyond a double (1e400) and more than `MAX_DEPTH` levels are none either.
    """
    if _is_too_deep(body):
        raise ValueError
    # Given bytes, `json` would guess UTF-16 and UTF-32, and let half surrogates through.
    return json.loads(
        body.decode("utf-8-sig"),
        parse_constant=_reject_constant,
        parse_float=_finite,
        parse_int=_integer,
    )


def _is_too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    # Without escapes, a string ends at the next quote.
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    steps = array("b", _STRING.sub(b"", plain).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps), default=0) > MAX_DEPTH


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError
    return value


def _integer(text: str) -> int:
    if len(text) > _DIGITS_OF_ANY_DOUBLE:
        _finite(text)
    return int(text)


def _reject_constant(_constant: str) -> NoReturn:
    raise ValueError
