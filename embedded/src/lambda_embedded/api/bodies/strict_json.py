"""JSON that can be written as JSON again: Python accepts more numbers than JSON has."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from lambda_embedded.api.errors import bad_request


def read_json(text: str | bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Return the value of a JSON text; `ValueError` for anything else.

    `ApiError` 400 for a number so large that Python reads infinity.
    """
    return json.loads(text, parse_constant=_reject_constant, parse_float=_finite)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise bad_request(f"the number {text[:50]} is too large")
    return value
