"""delete: remove all that a lambda owns, from whatever state it is in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from knative_lambda.domain import events
from knative_lambda.domain.conditions import DELETING, with_condition
from knative_lambda.domain.errors import LimitExceededError, UnreadableRecordError
from knative_lambda.domain.events import FunctionDeleted, Rebuild
from knative_lambda.domain.lambda_function import Condition, Phase, RequestStamp
from knative_lambda.use_cases.records import update_status
from knative_lambda.use_cases.request_stamps import is_overtaken, read_stamp, superseded
from knative_lambda.use_cases.tombstones import write_tombstone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.domain.lambda_function import LambdaFunction, LambdaFunctionStatus
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import (
        BuildJobs,
        Clock,
        ImageRegistry,
        LambdaFunctions,
        LambdaServices,
        ObjectStorage,
    )

# Of contexts and of logs, within one delivery; the rest is left to cleanup.
_OBJECTS_AT_ONCE = 1000
_LIST_LIMIT = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteLambda:
    """Deleting what is gone succeeds; a deletion older than the newest request does nothing."""

    records: LambdaFunctions
    jobs: BuildJobs
    services: LambdaServices
    registry: ImageRegistry
    storage: ObjectStorage
    clock: Clock
    storage_url: str
    registry_url: str

    def __call__(self, event: Event, function: FunctionId) -> Reply:
        """Reply `function.deleted`, or `build.superseded` when a newer request wants the lambda."""
        deletion = read_stamp(event, self.clock)
        record = self._readable(function)
        if record is not None and is_overtaken(deletion, record.stamp, self.clock):
            return superseded(function, record.stamp)
        # The note comes first: from here on, no earlier request can bring the lambda back.
        write_tombstone(self.storage, self.storage_url, function, deletion)
        record = self._readable(function)
        if record is not None:
            self._mark(record, deletion)
            record = self.records.get(function)
            if record is not None and is_overtaken(deletion, record.stamp, self.clock):
                return superseded(function, record.stamp)
        self.services.delete(function)
        self._remove_what_it_left(function)
        if record is not None:
            self.records.delete(record)
        self.records.discard(function)
        return events.Reply(type=events.FUNCTION_DELETED, function=function, data=FunctionDeleted())

    def removed(self, event: Event, function: FunctionId) -> Reply | None:
        """Remove what is left of a lambda whose record somebody removed.

        Kubernetes collects what the record owned. Replies `function.deleted` if there was more,
        `rebuild` if the lambda is there again, which may lack now what was removed, and None if
        it was there again before anything was removed, or if there was nothing.
        """
        if self._is_there(function):
            return None
        now = self.clock.now()
        deletion = RequestStamp(time=min(event.time or now, now), event_id=event.id)
        write_tombstone(self.storage, self.storage_url, function, deletion)
        if not self._remove_what_it_left(function):
            return None
        if self._is_there(function):
            return events.Reply(type=events.REBUILD, function=function, data=Rebuild())
        return events.Reply(type=events.FUNCTION_DELETED, function=function, data=FunctionDeleted())

    def _is_there(self, function: FunctionId) -> bool:
        try:
            return self.records.get(function) is not None
        except UnreadableRecordError:
            return True

    def _readable(self, function: FunctionId) -> LambdaFunction | None:
        """The record; None too for one that cannot be read, which no request can want."""
        try:
            return self.records.get(function)
        except UnreadableRecordError:
            return None

    def _mark(self, record: LambdaFunction, deletion: RequestStamp) -> None:
        """Keep requests out while everything is removed, unless a newer one came first."""
        now = self.clock.now()

        def change(current: LambdaFunction) -> LambdaFunctionStatus | None:
            if is_overtaken(deletion, current.stamp, self.clock):
                return None
            gone = Condition(
                type="Ready", status="False", reason=DELETING, last_transition_time=now
            )
            conditions = with_condition(current.status.conditions, gone, now=now)
            return current.status.model_copy(
                update={"phase": Phase.DELETING, "conditions": conditions}
            )

        update_status(self.records, record, change)

    def _remove_what_it_left(self, function: FunctionId) -> bool:
        """Remove what Kubernetes does not collect with the record; False if there was nothing."""
        return any([*self._remove_jobs(function), *self._remove_files(function)])

    def _remove_jobs(self, function: FunctionId) -> Iterator[bool]:
        for job in self.jobs.list(function):
            self.jobs.delete(job.name)
            yield True

    def _remove_files(self, function: FunctionId) -> Iterator[bool]:
        """Remove its images, and of its objects as many as one delivery may."""
        for kind in ("sources", "contexts", "packages", "kept", "logs"):
            folder = f"{self.storage_url}{kind}/{function.namespace}/{function.name}/"
            with suppress(LimitExceededError):
                found = self.storage.list(folder, limit=_LIST_LIMIT)
                for stored in list(islice(found, _OBJECTS_AT_ONCE)):
                    self.storage.delete(stored.uri)
                    yield True
        repository = f"{self.registry_url}/{function.namespace}/{function.name}"
        for tag in self.registry.list_tags(repository):
            digest = self.registry.find(repository, tag)
            if digest is not None:
                self.registry.delete(repository, digest)
                yield True
