"""As much of JSONPath as printer columns use: fields, escaped dots, and items with one value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
      | \['(?P<quoted>(?:\\.|[^'\\])+)'\]
      | \[(?P<index>[0-9]{1,9})\]
      | \[\?\(@\.(?P<key>\w+)\s*==\s*(?P<quote>['"])(?P<value>[^'"]*)(?P=quote)\)\]""",
    re.VERBOSE,
)


def json_path(text: str) -> Callable[[Any], Any]:
    """Return a function that finds the value at a path, or None; `ValueError` if unsupported."""
    steps, position = [], 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a path that is understood here")
        steps.append(_step(match))
        position = match.end()

    def find(value: Any) -> Any:  # noqa: ANN401  # any JSON value
        for step in steps:
            value = step(value)
        return value

    return find


def _step(match: re.Match[str]) -> Callable[[Any], Any]:
    name = match["field"] or match["quoted"]
    if name is not None:
        field = re.sub(r"\\(.)", r"\1", name)
        return lambda value: value.get(field) if isinstance(value, dict) else None
    if match["index"] is not None:
        index = int(match["index"])
        return lambda value: next(iter(_items(value)[index : index + 1]), None)
    key, wanted = match["key"], match["value"]
    return lambda value: next((item for item in _items(value) if _get(item, key) == wanted), None)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(item: object, key: str) -> object:
    return item.get(key) if isinstance(item, dict) else None
