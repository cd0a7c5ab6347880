"""The newest changes of all objects, and the watches that wait for more."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Literal

KubernetesObject = dict[str, Any]
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class ExpiredError(Exception):
    """The changes since that version are no longer kept; list again and watch from there."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step in the life of one object."""

    type: ChangeType
    kind: str
    object: KubernetesObject
    previous: KubernetesObject | None = None  # shared by all watches: read it, never change it

    @property
    def version(self) -> int:
        """The resourceVersion that the change created."""
        return int(self.object["metadata"]["resourceVersion"])


class ChangeLog:
    """Keeps the last changes in memory, and gives each watch its own copy of every change."""

    def __init__(self, *, start: int, changes_kept: int) -> None:
        self._watches: set[asyncio.Queue[Change]] = set()
        self._changes: deque[Change] = deque(maxlen=changes_kept)
        self._start = start

    def publish(self, change: Change) -> None:
        """Keep a change and send it to all watches."""
        if len(self._changes) == self._changes.maxlen:
            self._start = self._changes[0].version
        self._changes.append(change)
        for queue in self._watches:
            queue.put_nowait(_own(change))

    def watch(self, since: str | None, *, newest: int) -> asyncio.Queue[Change]:
        """Return a queue of all changes from now on, or `since` a version; else `ExpiredError`."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        if since is not None:
            # A version beyond the newest comes from another data folder or a dry run.
            if not self._start <= int(since) <= newest:
                raise ExpiredError(
                    f"too old resource version: {since}; changes since {self._start} are kept"
                )
            for change in self._changes:
                if change.version > int(since):
                    queue.put_nowait(_own(change))
        self._watches.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[Change]) -> None:
        """Stop feeding a queue of `watch`."""
        self._watches.discard(queue)


def _own(change: Change) -> Change:
    return replace(change, object=json.loads(json.dumps(change.object)))
