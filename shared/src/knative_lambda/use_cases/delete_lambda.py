"""delete: remove all that a lambda owns, from whatever state it is in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from knative_lambda.domain import events
from knative_lambda.domain.errors import LimitExceededError, UnreadableRecordError
from knative_lambda.domain.events import FunctionDeleted
from knative_lambda.domain.lambda_function import Condition, Phase
from knative_lambda.use_cases.records import update_status, with_condition
from knative_lambda.use_cases.request_stamps import read_stamp, superseded
from knative_lambda.use_cases.tombstones import write_tombstone

if TYPE_CHECKING:
    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.domain.lambda_function import (
        LambdaFunction,
        LambdaFunctionStatus,
        RequestStamp,
    )
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
        if record is not None and deletion.is_older_than(record.stamp):
            return superseded(function, record.stamp)
        # The note comes first: from here on, no earlier request can bring the lambda back.
        write_tombstone(self.storage, self.storage_url, function, deletion)
        record = self._readable(function)
        if record is not None:
            self._mark(record, deletion)
            record = self.records.get(function)
            if record is not None and deletion.is_older_than(record.stamp):
                return superseded(function, record.stamp)
        self._remove_what_it_owns(function)
        if record is not None:
            self.records.delete(record)
        self.records.discard(function)
        return events.Reply(type=events.FUNCTION_DELETED, function=function, data=FunctionDeleted())

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
            if deletion.is_older_than(current.stamp):
                return None
            gone = Condition(
                type="Ready", status="False", reason="Deleting", last_transition_time=now
            )
            conditions = with_condition(current.status.conditions, gone, now=now)
            return current.status.model_copy(
                update={"phase": Phase.DELETING, "conditions": conditions}
            )

        update_status(self.records, record, change)

    def _remove_what_it_owns(self, function: FunctionId) -> None:
        for job in self.jobs.list(function):
            self.jobs.delete(job.name)
        self.services.delete(function)
        for kind in ("sources", "contexts", "packages", "kept", "logs"):
            self._remove_objects(f"{self.storage_url}{kind}/{function.namespace}/{function.name}/")
        repository = f"{self.registry_url}/{function.namespace}/{function.name}"
        for tag in self.registry.list_tags(repository):
            digest = self.registry.find(repository, tag)
            if digest is not None:
                self.registry.delete(repository, digest)

    def _remove_objects(self, folder: str) -> None:
        """Remove what is below a folder, as much as one delivery may; cleanup does the rest."""
        with suppress(LimitExceededError):
            found = self.storage.list(folder, limit=_LIST_LIMIT)
            for stored in list(islice(found, _OBJECTS_AT_ONCE)):
                self.storage.delete(stored.uri)
