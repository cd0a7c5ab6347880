"""What kube-apiserver checks of any object before it stores it."""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.errors import ApiError, bad_request
from lambda_embedded.schemas.causes import MOST_CAUSES, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.schemas.causes import Cause
    from lambda_embedded.store.objects import KubernetesObject

_LABEL_VALUE = re.compile(r"(?=.{0,63}\Z)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_QUALIFIED_NAME = re.compile(
    r"((?=.{1,253}/)[a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?"
    r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_ANNOTATIONS_MAX_BYTES = 256 * 1024
_OWNER_REFERENCE_FIELDS = ("apiVersion", "kind", "name", "uid")


def address(kind: Kind, namespace: str, name: str | None, item: KubernetesObject) -> None:
    """Fill in what the path of a request says of its object; `ApiError` 400 where they differ."""
    for key, expected in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        # Typed clients omit these for built-in kinds, and kube-apiserver accepts that.
        if item.get(key) is None and not kind.is_custom:
            item[key] = expected
        if item.get(key) != expected:
            raise bad_request(f"{key}: must be {expected!r} on this path, not {item.get(key)!r}")
    metadata = item.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata: must be an object")
    if (metadata.get("namespace") or namespace) != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name is not None and (metadata.get("name") or name) != name:
        raise bad_request(
            f"the name of the object ({metadata['name']!r}) does not match the name on the URL "
            f"({name!r})"
        )
    if name is not None:
        metadata["name"] = name
    metadata.pop("namespace", None)
    if namespace:
        metadata["namespace"] = namespace
    if kind.kind == "Secret":
        _move_string_data(item)


def metadata_faults(
    kind: Kind, item: KubernetesObject, old: KubernetesObject | None = None
) -> Iterator[Cause]:
    """What is wrong with an object of any kind that is about to replace `old`."""
    metadata = item["metadata"]
    yield from _name_causes(kind, metadata)
    yield from _metadata_causes(metadata)
    if old is not None:
        yield from _immutable_causes(kind, item, old)


def part_faults(item: KubernetesObject) -> Iterator[Cause]:
    """What is wrong with an object of a kind that has no schema here."""
    for part in ("spec", "status"):
        if item.get(part) is not None and not isinstance(item[part], dict):
            yield invalid(part, "must be an object")


def invalid_object(kind: Kind, name: object, faults: Iterable[Cause]) -> ApiError:
    """Return the error 422 of fields at fault."""
    causes = tuple(islice(faults, MOST_CAUSES))
    text = ", ".join(map(str, causes))
    told = f"[{text}]" if len(causes) > 1 else text
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f'{qualified} "{name}" is invalid: {told}',
        details={"name": str(name), "group": kind.group, "kind": kind.kind},
        causes=causes,
    )


def _name_causes(kind: Kind, metadata: dict[str, Any]) -> Iterator[Cause]:
    name = metadata.get("name")
    if not isinstance(name, str) or not kind.name_pattern.fullmatch(name):
        message = (
            f"{str(name)[:300]!r} must be lower case letters, digits and '-' ('.' too, unless the "
            f"kind takes a DNS label only), begin and end with a letter or digit, and match "
            f"{kind.name_pattern.pattern}"
        )
        yield invalid("metadata.name", message)


def _metadata_causes(metadata: dict[str, Any]) -> Iterator[Cause]:
    for field in ("labels", "annotations"):
        values = metadata.get(field)
        if values is None:
            continue
        if not isinstance(values, dict) or any(not isinstance(v, str) for v in values.values()):
            yield invalid(f"metadata.{field}", "must be a map of strings")
            continue
        for key in values:
            if not _QUALIFIED_NAME.fullmatch(key):
                yield invalid(f"metadata.{field}", f"{key[:300]!r} is not a qualified name")
        if field == "labels":
            for key, value in values.items():
                if not _LABEL_VALUE.fullmatch(value):
                    yield invalid(
                        f"metadata.labels[{key}]", f"{value[:300]!r} is not a label value"
                    )
        elif sum(len(key) + len(value) for key, value in values.items()) > _ANNOTATIONS_MAX_BYTES:
            yield invalid(
                "metadata.annotations", f"must have at most {_ANNOTATIONS_MAX_BYTES} bytes"
            )
    yield from _reference_causes(metadata)


def _reference_causes(metadata: dict[str, Any]) -> Iterator[Cause]:
    finalizers = metadata.get("finalizers") or []
    if not isinstance(finalizers, list) or any(not isinstance(f, str) for f in finalizers):
        yield invalid("metadata.finalizers", "must be a list of strings")
    references = metadata.get("ownerReferences") or []
    if not isinstance(references, list):
        yield invalid("metadata.ownerReferences", "must be a list")
        return
    for index, reference in enumerate(references):
        for field in _OWNER_REFERENCE_FIELDS:
            if not isinstance(reference, dict) or not isinstance(reference.get(field), str):
                yield invalid(f"metadata.ownerReferences[{index}].{field}", "must be a string")


def _move_string_data(item: KubernetesObject) -> None:
    plain = item.pop("stringData", None)
    if plain is None:
        return
    if not isinstance(plain, dict) or any(not isinstance(v, str) for v in plain.values()):
        raise bad_request("stringData: must be a map of strings")
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    data = item.get("data")
    item["data"] = {**data, **encoded} if isinstance(data, dict) else encoded


def _immutable_causes(kind: Kind, item: KubernetesObject, old: KubernetesObject) -> Iterator[Cause]:
    for path in kind.immutable:
        if _at(item, path) != _at(old, path):
            yield invalid(".".join(path), "field is immutable")


def _at(item: KubernetesObject, path: tuple[str, ...]) -> object:
    value: object = item
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
