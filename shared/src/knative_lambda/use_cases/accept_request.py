"""Write a request into the record, unless a newer one or a deletion is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import (
    ConflictError,
    InvalidEventError,
    NotReadyError,
    UnreadableRecordError,
)
from knative_lambda.use_cases.request_stamps import is_overtaken
from knative_lambda.use_cases.tombstones import read_tombstone

if TYPE_CHECKING:
    from knative_lambda.domain.lambda_function import LambdaFunction
    from knative_lambda.ports import Clock, LambdaFunctions, ObjectStorage

_WRITE_ATTEMPTS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptRequest:
    """Of all requests for one lambda, the newest stands in its record."""

    records: LambdaFunctions
    storage: ObjectStorage
    clock: Clock
    storage_url: str

    def __call__(self, wanted: LambdaFunction, replaces: str | None) -> LambdaFunction:
        """Return the record of the newest request, which is this one unless it came too late.

        A request that `replaces` a certain one is too late when that is no longer the newest.
        """
        function, stamp = wanted.id, wanted.stamp
        change = {
            "spec": wanted.spec,
            "stamp": stamp,
            "event_stamp": stamp,
            "set_fields": wanted.set_fields,
        }
        for _ in range(_WRITE_ATTEMPTS):
            try:
                record = self.records.get(function)
                if record is None:
                    return self._create(wanted, replaces)
                if record.is_being_deleted:
                    raise NotReadyError(f"{function} is being deleted; try again")
                # An event that was accepted before, or that another one or a person overtook.
                if stamp in {record.stamp, record.event_stamp} or is_overtaken(
                    stamp, record.stamp, self.clock
                ):
                    return record
                if replaces not in {None, record.stamp.event_id}:
                    return record
                return self.records.replace_request(record.model_copy(update=change))
            except ConflictError:
                continue
            except UnreadableRecordError:
                if replaces is not None:
                    raise
                # Nothing in it can be used; the request brings all that a record needs.
                self.records.discard(function)
        raise ConflictError(f"the record {function} changes too fast; try again")

    def _create(self, wanted: LambdaFunction, replaces: str | None) -> LambdaFunction:
        """Write a first record, unless a newer deletion is remembered."""
        buried = read_tombstone(self.storage, self.storage_url, wanted.id)
        if buried is None or not wanted.stamp.is_older_than(buried):
            if replaces is not None:
                raise InvalidEventError(f"{wanted.id} does not exist; deploy it", field="replaces")
            record = self.records.create(wanted)
            # Again: a deletion in between found no record to remove.
            buried = read_tombstone(self.storage, self.storage_url, wanted.id)
            if buried is None or not wanted.stamp.is_older_than(buried):
                return record
            self.records.delete(record)
        return wanted.model_copy(update={"stamp": buried})
