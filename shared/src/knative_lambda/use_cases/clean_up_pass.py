"""One pass of cleanup: what it looks at, and what it has seen and counted so far."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from knative_lambda.domain.errors import PermanentError
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.old_base_images import OldBaseImages
from knative_lambda.use_cases.seen_records import SeenRecords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )

_Item = TypeVar("_Item")

LIST_LIMIT = 1_000_000
# The interval of the schedule: the next pass begins with something else.
_TURN = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long things are kept once nothing refers to them."""

    jobs: timedelta
    builds: timedelta
    tombstones: timedelta
    dead_letters: timedelta
    untold_after: timedelta
    stuck_after: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanUpReach:
    """What cleanup looks at and removes from."""

    records: LambdaFunctions
    jobs: BuildJobs
    services: LambdaServices
    registry: ImageRegistry
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    registry_url: str
    retention: Retention
    base_images: Mapping[str, str]
    pass_timeout: timedelta


class TimeIsOverError(Exception):
    """The rest is left to the next passes."""


@dataclass
class CleanUpPass:
    """What one pass has seen and counted."""

    use: CleanUpReach
    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)
    running: set[str] = field(default_factory=set)
    building: set[FunctionId] = field(default_factory=set)
    ended: dict[str, datetime] = field(default_factory=dict)
    looked_at: set[FunctionId] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read the records, each once."""
        self.now: datetime = self.use.clock.now()
        self.old_base_images = OldBaseImages(current=self.use.base_images)
        self.records = SeenRecords(self.old_base_images.noting(self.use.records.list()))

    @property
    def turn(self) -> int:
        """The number of this tick of the schedule."""
        return int(self.now.timestamp() // _TURN.total_seconds())

    def check_time(self) -> None:
        """End the pass where time has run out; never between two steps that belong together."""
        if self.use.clock.now() - self.now > self.use.pass_timeout:
            raise TimeIsOverError

    def is_older(self, time: datetime, age: timedelta) -> bool:
        """Whether this was that long ago when the pass began."""
        return self.now - time > age

    def is_orphan(self, function: FunctionId) -> bool:
        """Whether there is no record of this lambda."""
        # Asked again: a record may have been made, with its Job, since the records were listed.
        try:
            return function not in self.records and self.use.records.get(function) is None
        except PermanentError:
            return False  # there is one that cannot be read

    def stored_below(self, folder: str) -> Iterator[tuple[FunctionId, str]]:
        """Yield the lambda and build of each object `<namespace>/<name>[/<build id>]`."""
        root = f"{self.use.storage_url}{folder}/"
        for stored in self.use.storage.list(root, limit=LIST_LIMIT):
            yield from function_of(stored.uri.removeprefix(root))


def function_of(key: str) -> Iterator[tuple[FunctionId, str]]:
    """Yield the lambda and build of an object `<namespace>/<name>[/<build id>]`; else nothing."""
    namespace, _, rest = key.partition("/")
    name, _, build_id = rest.partition("/")
    with suppress(ValueError):
        yield FunctionId.parse(f"{namespace}/{name}"), build_id


def beginning_at(begin: int, items: Sequence[_Item]) -> Iterator[_Item]:
    """Return all items, beginning with the one of that number and wrapping around."""
    first = begin % len(items) if items else 0
    return chain(items[first:], items[:first])
