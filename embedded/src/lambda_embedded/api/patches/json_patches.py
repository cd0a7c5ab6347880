"""JSON merge patch (RFC 7396) and JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
import json
from http import HTTPStatus
from typing import Any

from lambda_embedded.api.bodies.parsing import reject_deep
from lambda_embedded.api.errors import ApiError, bad_request

# As in kube-apiserver: a few copies of copies would grow without bound.
_MOST_OPERATIONS = 10_000
_MOST_COPIED = 3 * 1024 * 1024


def merge_patch(value: Any, patch: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Merge the fields of `patch` into `value`; null removes a field."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), change)
    return result


def json_patch(value: Any, operations: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return `value` after all operations, None if they removed all of it.

    `ApiError` 422 if one does not fit, 413 if there are too many or they copy too much, 400 if
    they nest too deep.
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    if len(operations) > _MOST_OPERATIONS:
        raise _too_large(f"a JSON patch has at most {_MOST_OPERATIONS} operations")
    box = {"": copy.deepcopy(value)}
    copied = 0
    for index, operation in enumerate(operations):
        try:
            if operation["op"] == "copy":
                copied += _size(_find(box, _pointer(operation["from"])))
                if copied > _MOST_COPIED:
                    raise _too_large(f"a JSON patch copies at most {_MOST_COPIED} bytes")
            _run(box, operation)
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"operation {index} of the JSON patch cannot be done: {error}",
            ) from error
    result = box.get("")
    # Moves and copies can nest values deeply that were not.
    reject_deep(result)
    return result


def _size(value: object) -> int:
    return len(json.dumps(value))


def _too_large(message: str) -> ApiError:
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def _run(box: dict[str, Any], operation: dict[str, Any]) -> None:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "add":
            _add(box, path, copy.deepcopy(operation["value"]))
        case "remove":
            _take(box, path)
        case "replace":
            _take(box, path)
            _add(box, path, copy.deepcopy(operation["value"]))
        case "move":
            _add(box, path, _take(box, _pointer(operation["from"])))
        case "copy":
            _add(box, path, copy.deepcopy(_find(box, _pointer(operation["from"]))))
        case "test":
            if _find(box, path) != operation["value"]:
                raise ValueError(f"test of {operation['path']} failed")
        case other:
            raise ValueError(f"unknown operation {other!r}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _find(value: Any, path: list[str]) -> Any:  # noqa: ANN401  # any JSON value
    for part in path:
        value = value[_index(value, part)] if isinstance(value, list) else value[part]
    return value


def _add(box: Any, path: list[str], value: Any) -> None:  # noqa: ANN401  # any JSON value
    parent = _find(box, path[:-1])
    if isinstance(parent, list):
        index = len(parent) if path[-1] == "-" else _index(parent, path[-1], end=1)
        parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise TypeError(f"nothing can be added below {path[-2]!r}")


def _take(box: Any, path: list[str]) -> Any:  # noqa: ANN401  # any JSON value
    parent = _find(box, path[:-1])
    return parent.pop(_index(parent, path[-1]) if isinstance(parent, list) else path[-1])


def _index(values: list[Any], part: str, *, end: int = 0) -> int:
    if not part.isascii() or not part.isdigit() or int(part) >= len(values) + end:
        raise IndexError(f"no item {part!r}")
    return int(part)
