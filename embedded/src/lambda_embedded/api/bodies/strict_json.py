"""JSON that can be told again as JSON: Python reads more numbers than JSON can say."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from lambda_embedded.api.errors import bad_request


def read_json(text: str | bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Return the value of a text; `ValueError` for what is no JSON.

    `ApiError` 400 for a number that is too large to be told from infinity.
    """
    return json.loads(text, parse_constant=_reject_constant, parse_float=_finite)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise bad_request(f"the number {text[:50]} is too large")
    return value
