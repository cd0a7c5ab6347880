"""Admission between request and store: schemas of custom resources, then Knative's webhooks."""

from __future__ import annotations

import copy
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.admission import webhooks
from lambda_embedded.api.admission.validation import part_faults
from lambda_embedded.schemas.causes import cut
from lambda_embedded.schemas.known import Schemas
from lambda_embedded.schemas.schema import MISSING
from lambda_embedded.schemas.structure import check, complete, drop_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lambda_embedded.api.admission.field_validation import FieldValidation
    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.schemas.causes import Cause
    from lambda_embedded.schemas.schema import Schema
    from lambda_embedded.store.objects import KubernetesObject

_METADATA = frozenset(
    {
        "name", "generateName", "namespace", "labels", "annotations", "finalizers",
        "ownerReferences", "uid", "resourceVersion", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
    }
)  # fmt: skip


_MOST_TOLD = 20


class Admission:
    """Prunes, defaults and validates objects by their schemas and by Knative's webhooks."""

    def __init__(self, definition: Path) -> None:
        self._schemas = Schemas(definition)

    def read(
        self,
        kind: Kind,
        item: KubernetesObject,
        fields: FieldValidation | None = None,
        live: KubernetesObject | None = None,
    ) -> KubernetesObject:
        """Drop an object's unknown fields, report them to `fields`, and set defaults.

        Unknown fields that `live` already has, from before there was a schema, are not reported.
        """
        schema = self._schemas.of(kind.kind)
        if schema is not None:
            unknown = _first(_unknown(schema, item, live or {}))
            if fields is not None:
                fields.tell(kind, unknown)
            complete(schema, item)
            webhooks.complete(kind, item)
        return item

    def unknown_fields(self, kind: Kind, item: KubernetesObject) -> list[str]:
        """Remove fields that the kind's schema does not have; return the first paths."""
        schema = self._schemas.of(kind.kind)
        return [] if schema is None else _first(_unknown(schema, item, {}))

    def faults(
        self, kind: Kind, item: KubernetesObject, old: KubernetesObject | None
    ) -> Iterable[Cause]:
        """Everything wrong with an object that is about to replace `old`."""
        schema = self._schemas.of(kind.kind)
        if schema is None:
            return part_faults(item)
        faults = check(schema, _seen(item), MISSING if old is None else _seen(old))
        if faults and old is not None:
            # An object stored before there were defaults has none: setting them is no change.
            faults = check(schema, _seen(item), _seen(self.read(kind, copy.deepcopy(old))))
        return faults

    def review(self, kind: Kind, item: KubernetesObject, old: KubernetesObject | None) -> None:
        """Call Knative's webhooks; `ApiError` 400 names every field that they reject."""
        if self._schemas.of(kind.kind) is not None:
            webhooks.review(kind, item, old)


def _unknown(schema: Schema, item: KubernetesObject, live: KubernetesObject) -> Iterator[str]:
    for name in [name for name in item if name not in {"apiVersion", "kind", "metadata"}]:
        below = schema.below(name)
        if below is not None:
            yield from drop_unknown(below, item[name], live.get(name, MISSING), name)
        else:
            del item[name]
            if name not in live:
                yield cut(name)
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        before = frozenset(live.get("metadata", {}))
        for name in [name for name in metadata if name not in _METADATA]:
            del metadata[name]
            if name not in before:
                yield cut(f"metadata.{name}")


def _first(paths: Iterator[str]) -> list[str]:
    """Return the first paths, enough for a person, and exhaust the iterator."""
    told = list(islice(paths, _MOST_TOLD))
    deque(paths, maxlen=0)
    return told


def _seen(item: KubernetesObject) -> dict[str, Any]:
    """The part of an object that its schema covers; metadata is validated elsewhere."""
    parts = {name: value for name, value in item.items() if name != "metadata"}
    return {**parts, "metadata": {"name": item["metadata"].get("name")}}
