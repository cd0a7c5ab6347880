"""Parses bodies of requests; what comes out has bounded depth and can be written as JSON."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

import yaml

from lambda_embedded.api.bodies.protobuf import parse_protobuf
from lambda_embedded.api.bodies.strict_json import read_json
from lambda_embedded.api.errors import ApiError, bad_request

MAX_BYTES = 3 * 512 * 1024
_MAX_DEPTH = 64
_TOO_DEEP = f"the body is nested more than {_MAX_DEPTH} levels deep"
# YAML takes a hundred times longer to read than JSON, and every other request waits.
_MOST_YAML_EVENTS = 50_000

_JSON_TYPES = ("application/json", "application/json-patch+json", "application/merge-patch+json",
               "application/strategic-merge-patch+json")  # fmt: skip
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_YAML_TYPES = ("application/yaml", "application/apply-patch+yaml")


def parse_body(body: bytes, content_type: str) -> Any:  # noqa: ANN401  # any JSON value
    """Return the value of a body; `ApiError` 400 if it has none, 415 for other media types."""
    if content_type in _JSON_TYPES:
        value = _json(body)
    elif content_type in _YAML_TYPES:
        value = _yaml(body)
    elif content_type == _PROTOBUF:
        value = parse_protobuf(body)
    else:
        raise unsupported(content_type, (*_JSON_TYPES, *_YAML_TYPES, _PROTOBUF))
    reject_deep(value)
    return value


def reject_deep(value: object) -> None:
    """Raise `ApiError` 400 for a value that is nested deeper than any real object."""
    if _deeper_than(value, _MAX_DEPTH):
        raise bad_request(_TOO_DEEP)


def parse_object(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the object in a body; `ApiError` 400 for any other value."""
    value = parse_body(body, content_type)
    if not isinstance(value, dict):
        raise bad_request("the body must be an object")
    return value


def unsupported(content_type: str, taken: tuple[str, ...]) -> ApiError:
    """Return the error 415 of a media type that is not accepted."""
    return ApiError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"the body of the request was in an unsupported format ({content_type}); "
        f"accepted media types here: {', '.join(taken)}",
    )


def _json(body: bytes) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return read_json(body)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is not valid JSON: {error}") from error


_INTEGER, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# Without YAML 1.1's base-60 numbers (`1:30`), which kubectl reads as strings too, and which take
# quadratic time to read.
_NUMBERS = {
    _INTEGER: re.compile(r"[-+]?(0b[01_]+|0[0-7_]+|(0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+)$"),
    _FLOAT: re.compile(
        r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|\.(inf|Inf|INF))$"
        r"|\.(nan|NaN|NAN)$"
    ),
}


class _JsonLikeLoader(yaml.CSafeLoader):
    """Loads YAML as JSON: no dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as in the base class
        first: [
            (tag, _NUMBERS.get(tag, pattern))
            for tag, pattern in resolvers
            if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _yaml(body: bytes) -> Any:  # noqa: ANN401  # any JSON value
    try:
        # JSON is YAML, most clients send it, and reading it is a hundred times faster.
        return read_json(body)
    except (ValueError, RecursionError):
        pass
    try:
        _reject_bombs(body)
        value = yaml.load(body, _JsonLikeLoader)  # noqa: S506  # derived from the safe loader
        return json.loads(json.dumps(value, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise bad_request(f"the body is not valid YAML: {error}") from error


def _reject_bombs(body: bytes) -> None:
    """Raise `ApiError` 400 for YAML that takes far more time or memory to load than its size."""
    depth = 0
    for count, event in enumerate(yaml.parse(body, yaml.CSafeLoader)):
        if count > _MOST_YAML_EVENTS:
            raise bad_request("YAML of so many values is not accepted; send it as JSON")
        if isinstance(event, yaml.AliasEvent):
            raise bad_request("YAML aliases are not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise bad_request(_TOO_DEEP)


def _deeper_than(value: object, levels: int) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(
        _deeper_than(child, levels - 1) for child in below if isinstance(child, (dict, list))
    )
