"""Lists of objects: selected, in pages, and what a watch of the same selection begins with."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.api.errors import ApiError, bad_request
from lambda_embedded.api.reads.selectors import FieldSelector, LabelSelector
from lambda_embedded.api.reads.tables.forms import list_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.api.reads.tables.forms import Form
    from lambda_embedded.store.objects import KubernetesObject, Objects

_ROWS_PER_READ = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """Objects of a kind in one namespace (None: in all) that two selectors choose."""

    kind: Kind
    namespace: str | None
    name: str | None
    labels: LabelSelector
    fields: FieldSelector

    def includes(self, item: KubernetesObject) -> bool:
        """Whether an object of the kind belongs to the selection."""
        return (
            self.namespace in {None, item["metadata"].get("namespace", "")}
            and self.fields(item)
            and self.labels(item)
        )


def selection(kind: Kind, namespace: str | None, query: Mapping[str, str]) -> Selection:
    """Parse the selectors of a query; `ApiError` 400 for a malformed one."""
    fields = FieldSelector(kind.kind, query.get("fieldSelector", ""))
    return Selection(
        kind=kind,
        namespace=fields.equal_to("metadata.namespace") if namespace is None else namespace,
        name=fields.equal_to("metadata.name"),
        labels=LabelSelector(query.get("labelSelector", "")),
        fields=fields,
    )


async def select(
    objects: Objects, chosen: Selection, after: tuple[str, str] = ("", "")
) -> AsyncIterator[KubernetesObject]:
    """Yield the objects of a selection by namespace and name, each as it is when read."""
    while True:
        rows = objects.page(
            chosen.kind.kind,
            chosen.namespace,
            name=chosen.name,
            labels=chosen.labels.equal,
            after=after,
            limit=_ROWS_PER_READ,
        )
        for item in rows:
            if chosen.includes(item):
                yield item
        # A long list must not block the lambdas and the Broker, which share this loop.
        await asyncio.sleep(0)
        if len(rows) < _ROWS_PER_READ:
            return
        after = _place(rows[-1])


async def list_page(
    objects: Objects, chosen: Selection, query: Mapping[str, str], form: Form
) -> bytes:
    """Return the list object of a page, as JSON.

    Pages show what is stored when each is read. Their resourceVersion is that of the first page,
    so that a watch from there misses nothing that changed in between.
    """
    limit = number(query, "limit")
    version, after = objects.resource_version, ("", "")
    if token := query.get("continue"):
        version, after = _read_token(token)
    metadata = {"resourceVersion": version}
    items: list[bytes] = []
    async for item in select(objects, chosen, after):
        if limit and len(items) == limit:
            metadata["continue"] = _token(version, after)
            break
        after = _place(item)
        items.append(json.dumps(form.part(item), separators=(",", ":")).encode())
    return list_bytes(form, metadata, items)


def number(query: Mapping[str, str], name: str) -> int:
    """Return an integer parameter of a query, 0 if absent; `ApiError` 400 for anything else."""
    text = query.get(name) or "0"
    if not text.isascii() or not text.isdigit() or len(text) > len("9" * 18):
        raise bad_request(f"{name}: {text[:100]!r} is not a number")
    return int(text)


def _place(item: KubernetesObject) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _token(version: str, after: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, *after]).encode()).decode()


def _read_token(token: str) -> tuple[str, tuple[str, str]]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        int(version)
        return str(version), (str(namespace), str(name))
    except (ValueError, TypeError) as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "continue: the token is not valid") from error
