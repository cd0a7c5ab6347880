"""The form in which a client wants objects: as they are, or as rows of a table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from lambda_embedded.api.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.api.reads.tables.columns import Columns
    from lambda_embedded.store.objects import KubernetesObject

_TABLE = frozenset({"as=Table", "v=v1", "g=meta.k8s.io"})
_PLAIN = frozenset({"application/json", "application/*", "*/*"})
_INCLUDED = frozenset({"", "None", "Metadata", "Object"})


class Form(Protocol):
    """How one object, and how a list of them, is written."""

    def part(self, item: KubernetesObject) -> Any:  # noqa: ANN401  # any JSON value
        """What represents one object in a list."""

    def whole(self, item: KubernetesObject) -> KubernetesObject:
        """What represents a single object, in a response or in an event."""

    def head(self, metadata: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """A list without its parts, and the field in which they belong."""


class PlainForm:
    """Objects as they are."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def part(self, item: KubernetesObject) -> KubernetesObject:
        """The object."""
        return item

    def whole(self, item: KubernetesObject) -> KubernetesObject:
        """The object."""
        return item

    def head(self, metadata: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The list of the kind."""
        kind = self._kind
        head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
        return head, "items"


class TableForm:
    """Objects as rows; the columns are sent once."""

    def __init__(self, columns: Columns, include: str) -> None:
        self._columns = columns
        self._include = include
        self._told: Sequence[Mapping[str, Any]] = columns.definitions

    def part(self, item: KubernetesObject) -> dict[str, Any]:
        """The row of the object."""
        row: dict[str, Any] = {"cells": self._columns.cells(item, datetime.now(UTC))}
        if self._include == "Object":
            row["object"] = item
        elif self._include != "None":
            meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            row["object"] = {**meta, "metadata": item["metadata"]}
        return row

    def whole(self, item: KubernetesObject) -> KubernetesObject:
        """Return a table of one row; in a watch only the first names the columns."""
        version = item["metadata"].get("resourceVersion", "")
        head, rows = self.head({"resourceVersion": version})
        self._told = ()
        return {**head, rows: [self.part(item)]}

    def head(self, metadata: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The table without its rows."""
        head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return {**head, "columnDefinitions": self._told}, "rows"


def form_of(kind: Kind, accept: str, query: Mapping[str, str], definition: Path) -> Form:
    """Return the first supported form of an Accept header, by default the plain one."""
    for entry in accept.split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        if media_type == "application/json" and _TABLE.issubset(parameters):
            return _table(kind, query, definition)
        if media_type in _PLAIN and not any(each.startswith("as=") for each in parameters):
            break
    return PlainForm(kind)


def _table(kind: Kind, query: Mapping[str, str], definition: Path) -> TableForm:
    # Only people want tables: the columns are read when the first one does.
    from lambda_embedded.api.reads.tables.columns import columns_of  # noqa: PLC0415

    include = query.get("includeObject", "")
    if include not in _INCLUDED:
        raise bad_request(f"includeObject: must be None, Metadata or Object, not {include[:100]!r}")
    return TableForm(columns_of(kind, definition), include)


def list_bytes(form: Form, metadata: Mapping[str, Any], parts: Sequence[bytes]) -> bytes:
    """Return a list as JSON, of parts that are JSON already."""
    head, field = form.head(metadata)
    return json.dumps(head).encode()[:-1] + f',"{field}":['.encode() + b",".join(parts) + b"]}"
