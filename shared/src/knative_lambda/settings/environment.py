"""Settings from environment variables, validated when they are read.

Small on purpose: loading pydantic takes a third of a function's start, which alone would break
the bar for cold starts.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType
from typing import Annotated, Any, Never, get_args, get_origin, get_type_hints

from knative_lambda.domain.language import Languages
from knative_lambda.domain.packages import IndexCredentials

PREFIX = "KN_LAMBDA_"

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


@dataclass(frozen=True, slots=True)
class Check:
    """What a value must be besides its type; in a list or mapping, every value."""

    pattern: str
    meaning: str


class Settings:
    """A subclass names what it reads as annotated attributes; those without a default must be set.

    An empty variable counts as absent. `ValueError` names every variable that is wrong, but never
    its value, which may be a secret. Attributes are read-only.
    """

    def __init__(self) -> None:
        problems = []
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            variable = PREFIX + name.upper()
            text = os.environ.get(variable, "")  # noqa: TID251  # this is the settings class
            try:
                if text:
                    self.__dict__[name] = _parse(text, hint)
                elif not hasattr(type(self), name):
                    problems.append(f"{variable} is not set")
            except ValueError as error:
                problems.append(f"{variable} {error}")
        if problems:
            raise ValueError("; ".join(problems))

    def __setattr__(self, name: str, value: object) -> Never:
        """Raise: a setting that was read once never changes."""
        raise AttributeError(f"settings are read-only: {name}")


def _parse(text: str, hint: Any) -> object:  # noqa: ANN401  # a type, an alias or a union
    if get_origin(hint) is Annotated:
        hint, check = get_args(hint)
        value = _parse(text, hint)
        if not all(re.fullmatch(check.pattern, part) for part in _parts(value)):
            raise ValueError(f"must be {check.meaning}")
        return value
    if NoneType in get_args(hint):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
        return _parse(text, hint)
    return _PARSERS[get_origin(hint) or hint](text)


def _parts(value: object) -> list[str]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [str(value)]


def _integer(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError("must be a number")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _duration(text: str) -> timedelta:
    """Seconds, or ISO 8601 such as PT10M."""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return timedelta(seconds=float(text))
    found = _DURATION.fullmatch(text)
    parts = {unit: int(n) for unit, n in (found.groupdict() if found else {}).items() if n}
    if not parts:
        raise ValueError("must be seconds, or a duration such as PT10M")
    return timedelta(**parts)


def _list(text: str) -> list[str]:
    match _json(text):
        case list(parts) if all(isinstance(part, str) for part in parts):
            return parts
    raise ValueError('must be JSON such as ["a", "b"]')


def _dict(text: str) -> dict[str, str]:
    match _json(text):
        case dict(parts) if all(isinstance(part, str) for part in parts.values()):
            return parts
    raise ValueError('must be JSON such as {"a": "b"}')


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


_PARSERS: Mapping[Any, Callable[[str], object]] = {
    str: str,
    int: _integer,
    bool: _boolean,
    timedelta: _duration,
    list: _list,
    dict: _dict,
    Languages: Languages.parse,
    IndexCredentials: IndexCredentials.parse,
}
