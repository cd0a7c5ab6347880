"""Deletes orphaned dependents, finished Jobs, old Events and terminating Namespaces."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from lambda_embedded.api.deletion import is_being_deleted, may_go, request_deletion
from lambda_embedded.api.kinds.served import kind_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_embedded.store.objects import Change, KubernetesObject, Objects

Key = tuple[str, str, str]
"""Kind, namespace, name."""

_EVENTS_KEPT = timedelta(hours=1)
_OBJECTS_PER_TURN = 20
_LONGEST_TTL = 2**31 - 1


def _now() -> datetime:
    return datetime.now(UTC)


class GarbageCollector:
    """Deletes objects soon after they become collectable, also across restarts.

    Collectable are objects whose owners are all gone, Jobs past their `ttlSecondsAfterFinished`,
    Events older than an hour, and the content of a deleted Namespace, which itself goes last.
    """

    def __init__(self, objects: Objects, *, now: Callable[[], datetime] = _now) -> None:
        self._objects = objects
        self._now = now
        self._owners: dict[Key, frozenset[str]] = {}
        self._dependents: dict[str, set[Key]] = {}
        self._expiries: dict[Key, datetime] = {}
        # A heap; entries whose expiry has changed since are stale.
        self._due: list[tuple[datetime, Key]] = []
        self._ending_namespaces: set[str] = set()

    async def run(self) -> None:
        """Collect until cancelled."""
        changes = self._objects.watch()
        try:
            await self._look_at_everything()
            while True:
                self._delete_expired()
                self._empty_namespaces()
                try:
                    # Not wait_for: before Python 3.12 it may lose a cancellation.
                    async with asyncio.timeout(self._seconds_to_wait()):
                        change = await changes.get()
                except TimeoutError:
                    continue
                self._follow(change)
        finally:
            self._objects.unwatch(changes)

    async def _look_at_everything(self) -> None:
        for kind in sorted(self._objects.kinds()):
            async for item in self._objects.walk(kind):
                self._look_at(kind, item)

    def _follow(self, change: Change) -> None:
        key = _key(change.kind, change.object)
        if change.type != "DELETED":
            # The newest state counts: a change that waited in the queue may have been undone since.
            item = self._objects.find(*key)
            if item is not None:
                self._look_at(change.kind, item)
            return
        if self._objects.find(*key) is None:
            self._forget(key)
        for dependent in list(self._dependents.get(change.object["metadata"]["uid"], ())):
            item = self._objects.find(*dependent)
            if item is not None:
                self._look_at(dependent[0], item)
        if key[1]:
            self._end_namespace(key[1])

    def _look_at(self, kind: str, item: KubernetesObject) -> None:
        key = _key(kind, item)
        self._remember(key, item)
        if may_go(kind, item):
            self._delete(key, uid=item["metadata"]["uid"], now=True)
        elif kind == "Namespace" and is_being_deleted(item):
            self._end_namespace(item["metadata"]["name"])
        elif self._is_orphan(item):
            self._delete(key, uid=item["metadata"]["uid"])

    def _remember(self, key: Key, item: KubernetesObject) -> None:
        self._forget(key)
        owners = frozenset(
            reference["uid"] for reference in item["metadata"].get("ownerReferences") or ()
        )
        if owners:
            self._owners[key] = owners
            for owner in owners:
                self._dependents.setdefault(owner, set()).add(key)
        expiry = _expiry(key[0], item)
        if expiry is not None:
            self._expiries[key] = expiry
            heapq.heappush(self._due, (expiry, key))

    def _forget(self, key: Key) -> None:
        self._expiries.pop(key, None)
        for owner in self._owners.pop(key, frozenset()):
            dependents = self._dependents[owner]
            dependents.discard(key)
            if not dependents:
                del self._dependents[owner]

    def _is_orphan(self, item: KubernetesObject) -> bool:
        """Whether the object has owners and none of them is there; owners of foreign kinds are."""
        references = item["metadata"].get("ownerReferences") or []
        namespace = item["metadata"].get("namespace", "")
        for reference in references:
            kind = kind_named(reference["apiVersion"], reference["kind"])
            if kind is None:
                return False
            place = namespace if kind.namespaced else ""
            owner = self._objects.find(kind.kind, place, reference["name"])
            if owner is not None and owner["metadata"]["uid"] == reference["uid"]:
                return False
        return bool(references)

    def _end_namespace(self, name: str) -> None:
        namespace = self._objects.find("Namespace", "", name)
        if namespace is not None and is_being_deleted(namespace):
            self._ending_namespaces.add(name)

    def _empty_namespaces(self) -> None:
        """Delete some objects: a few at a time, since each waits for the disk."""
        for name in list(self._ending_namespaces):
            found = list(islice(self._content(name), _OBJECTS_PER_TURN))
            for kind, item in found:
                self._delete(_key(kind, item), uid=item["metadata"]["uid"])
            if not found:
                self._ending_namespaces.discard(name)
                self._finish_namespace(name)

    def _content(self, namespace: str) -> Iterator[tuple[str, KubernetesObject]]:
        """Yield what is in a namespace and does not wait for its finalizers yet."""
        for kind in sorted(self._objects.kinds() - {"Namespace"}):
            after = ("", "")
            while items := self._objects.page(
                kind, namespace, after=after, limit=_OBJECTS_PER_TURN
            ):
                yield from ((kind, item) for item in items if not is_being_deleted(item))
                after = (namespace, items[-1]["metadata"]["name"])

    def _finish_namespace(self, name: str) -> None:
        namespace = self._objects.find("Namespace", "", name)
        if namespace is None or not is_being_deleted(namespace):
            return
        if not any(self._objects.page(kind, name, limit=1) for kind in self._objects.kinds()):
            self._delete(("Namespace", "", name), uid=namespace["metadata"]["uid"], now=True)

    def _delete_expired(self) -> None:
        now = self._now()
        while self._due and self._due[0][0] <= now:
            due, key = heapq.heappop(self._due)
            if self._expiries.get(key) != due:
                continue
            del self._expiries[key]
            item = self._objects.find(*key)
            expiry = _expiry(key[0], item) if item is not None else None
            if item is not None and expiry is not None and expiry <= now:
                self._delete(key, uid=item["metadata"]["uid"])

    def _seconds_to_wait(self) -> float | None:
        if self._ending_namespaces:
            return 0
        if not self._due:
            return None
        return max((self._due[0][0] - self._now()).total_seconds(), 0)

    def _delete(self, key: Key, *, uid: str, now: bool = False) -> None:
        item = self._objects.find(*key)
        if item is None or item["metadata"]["uid"] != uid:
            return
        if now:
            self._objects.delete(*key)
        else:
            request_deletion(self._objects, *key)


def _key(kind: str, item: KubernetesObject) -> Key:
    return kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _expiry(kind: str, item: KubernetesObject) -> datetime | None:
    """When an object may go because of its age alone."""
    if kind == "Event":
        created = _time(item.get("lastTimestamp")) or _time(item["metadata"]["creationTimestamp"])
        return created + _EVENTS_KEPT if created is not None else None
    if kind == "Job":
        ttl = (item.get("spec") or {}).get("ttlSecondsAfterFinished")
        finished = _finished_at(item)
        if isinstance(ttl, int) and finished is not None and 0 <= ttl <= _LONGEST_TTL:
            return finished + timedelta(seconds=ttl)
    return None


def _finished_at(job: KubernetesObject) -> datetime | None:
    conditions = (job.get("status") or {}).get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        # Nobody checks what clients write to a status.
        match condition:
            case {"type": "Complete" | "Failed", "status": "True", "lastTransitionTime": time}:
                return _time(time)
    return None


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
