"""Kubernetes objects with versions and watches: what etcd and kube-apiserver's storage layer do.

Objects are plain dictionaries, as in the API's JSON. Every returned object is a copy.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lambda_embedded.store.changes import (
    Change,
    ChangeLog,
    ChangeType,
    ExpiredError,
    KubernetesObject,
)
from lambda_embedded.store.defaults import set_defaults
from lambda_embedded.store.label_index import LabelIndex
from lambda_embedded.store.queries import page_query
from lambda_embedded.store.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from lambda_embedded.store.database import Database

__all__ = [
    "AlreadyExistsError",
    "Change",
    "ChangeType",
    "ConflictError",
    "ExpiredError",
    "KubernetesObject",
    "NotFoundError",
    "Objects",
]

KubernetesObjects = list[KubernetesObject]

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource_version (value INTEGER NOT NULL);
"""


_READ_AT_ONCE = 50


class NotFoundError(Exception):
    """No such object."""


class AlreadyExistsError(Exception):
    """An object of that name exists already."""


class ConflictError(Exception):
    """The object changed since the version that the caller holds."""


class _DryRunOverError(Exception):
    pass


class Objects:
    """All objects of the embedded platform, by kind (`Job`), namespace ("" without one) and name.

    Kinds are unique without their API group here, except `Service`, which means Knative's.
    """

    def __init__(self, database: Database, *, changes_kept: int = 2000) -> None:
        self._database = database
        database.create(_TABLES)
        self._labels = LabelIndex(database)
        row = database.execute("SELECT value FROM resource_version").fetchone()
        if row is None:
            database.execute("INSERT INTO resource_version VALUES (1)")
        self._version: int = row["value"] if row else 1
        self._changes = ChangeLog(start=self._version, changes_kept=changes_kept)

    @property
    def resource_version(self) -> str:
        """The version of the newest change."""
        return str(self._version)

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject:
        """Return one object; raises `NotFoundError`."""
        row = self._database.execute(
            "SELECT body FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
            (kind, namespace, name),
        ).fetchone()
        if row is None:
            raise NotFoundError(f"{kind} {namespace}/{name} not found")
        return _load(row["body"])

    def find(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """Return one object, or None."""
        try:
            return self.get(kind, namespace, name)
        except NotFoundError:
            return None

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
    ) -> list[KubernetesObject]:
        """Return the objects of one or all namespaces that have all of `labels`, sorted by name."""
        return self.page(kind, namespace, labels=labels)

    def page(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        after: tuple[str, str] = ("", ""),
        limit: int = -1,
    ) -> KubernetesObjects:
        """Return at most `limit` objects that follow (namespace, name) `after`, in that order.

        An `after` outside of `namespace` is ignored.
        """
        rarest = self._labels.rarest_first(kind, labels or {})
        query, parameters = page_query(
            kind, namespace=namespace, name=name, labels=rarest, after=after, limit=limit
        )
        rows = self._database.execute(query, parameters)
        return [_load(row["body"]) for row in rows]

    async def walk(self, kind: str) -> AsyncIterator[KubernetesObject]:
        """Yield all objects of a kind, each as it is when read, without blocking the event loop."""
        after = ("", "")
        while items := self.page(kind, after=after, limit=_READ_AT_ONCE):
            for item in items:
                yield item
            after = (items[-1]["metadata"].get("namespace", ""), items[-1]["metadata"]["name"])
            await asyncio.sleep(0)

    def kinds(self) -> set[str]:
        """Return the kinds that have objects."""
        return {row["kind"] for row in self._database.execute("SELECT DISTINCT kind FROM objects")}

    def create(self, kind: str, item: KubernetesObject) -> KubernetesObject:
        """Store a new object with uid, time and generation; raises `AlreadyExistsError`."""
        stored = _copy(item)
        metadata = stored.setdefault("metadata", {})
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        if self.find(kind, namespace, name) is not None:
            raise AlreadyExistsError(f"{kind} {namespace}/{name} already exists")
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamp()
        metadata["generation"] = 1
        set_defaults(kind, stored)
        self._write("ADDED", kind, stored, None)
        return _copy(stored)

    def update(self, kind: str, item: KubernetesObject) -> KubernetesObject:
        """Replace an object; the generation grows when anything but metadata and status changed.

        Raises `ConflictError` when the resourceVersion of `item` is not the newest. An update that
        changes nothing writes nothing and notifies no watch.
        """
        stored = _copy(item)
        metadata = stored["metadata"]
        old = self.get(kind, metadata.get("namespace", ""), metadata["name"])
        held = metadata.get("resourceVersion")
        if held is not None and held != old["metadata"]["resourceVersion"]:
            raise ConflictError(f"{kind} {metadata['name']} was changed since version {held}")
        for kept in ("uid", "creationTimestamp", "generation", "resourceVersion"):
            metadata[kept] = old["metadata"][kept]
        set_defaults(kind, stored, old)
        if _is_same(stored, old):
            return old
        if not _is_same(_desired_state(stored), _desired_state(old)):
            metadata["generation"] += 1
        self._write("MODIFIED", kind, stored, old)
        return _copy(stored)

    def update_status(
        self, kind: str, namespace: str, name: str, status: Mapping[str, Any]
    ) -> KubernetesObject:
        """Replace the whole status, whatever the version; raises `NotFoundError`."""
        item = self.get(kind, namespace, name)
        item["status"] = dict(status)
        return self.update(kind, item)

    def delete(self, kind: str, namespace: str, name: str) -> KubernetesObject:
        """Remove an object and return its last state; raises `NotFoundError`."""
        item = self.get(kind, namespace, name)
        with self._database.transaction():
            self._next_version(item)
            self._database.execute(
                "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
                (kind, namespace, name),
            )
            self._labels.replace(kind, item, None)
            self._publish(Change("DELETED", kind, _copy(item), item))
        return _copy(item)

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Undo all changes of the block at its end, unseen by watches; not in a transaction."""
        version = self._version
        try:
            with self._database.transaction():
                yield
                raise _DryRunOverError  # noqa: TRY301  # rolls the transaction back
        except _DryRunOverError:
            pass
        finally:
            self._version = version

    def watch(self, *, since: str | None = None) -> asyncio.Queue[Change]:
        """Return a queue that receives every change of every kind from now on, until `unwatch`.

        Watch before you list: a change in between is then seen twice, never missed. With `since`,
        changes after that version come first; raises `ExpiredError` if they are not kept.
        """
        return self._changes.watch(since, newest=self._version)

    def unwatch(self, queue: asyncio.Queue[Change]) -> None:
        """Stop feeding a queue of `watch`."""
        self._changes.unwatch(queue)

    def _write(
        self,
        type_: ChangeType,
        kind: str,
        stored: KubernetesObject,
        previous: KubernetesObject | None,
    ) -> None:
        metadata = stored["metadata"]
        with self._database.transaction():
            self._next_version(stored)
            self._database.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                (kind, metadata.get("namespace", ""), metadata["name"], _text(stored)),
            )
            self._labels.replace(kind, previous, stored)
            self._publish(Change(type_, kind, _copy(stored), previous))

    def _next_version(self, item: KubernetesObject) -> None:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._database.execute("UPDATE resource_version SET value = ?", (self._version,))

    def _publish(self, change: Change) -> None:
        self._database.after_commit(lambda: self._changes.publish(change))


def _load(body: str) -> KubernetesObject:
    # An older version stored Infinity. It is not JSON, so no client could read the object.
    item: KubernetesObject = json.loads(body, parse_constant=lambda _: None)
    return item


def _text(item: KubernetesObject) -> str:
    return json.dumps(item, allow_nan=False)


def _copy(item: KubernetesObject) -> KubernetesObject:
    return _load(_text(item))


def _is_same(one: KubernetesObject, other: KubernetesObject) -> bool:
    # In Python True == 1 == 1.0; as JSON they differ.
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _desired_state(item: KubernetesObject) -> KubernetesObject:
    return {key: value for key, value in item.items() if key not in {"metadata", "status"}}
