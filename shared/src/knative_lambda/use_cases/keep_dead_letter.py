"""dead-letter: keep what could not be delivered until a person has looked at it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import PermanentError, StorageUnavailableError

if TYPE_CHECKING:
    from knative_lambda.domain.dead_letter import DeadLetter
    from knative_lambda.ports import Clock, ObjectStorage


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepDeadLetter:
    """Stores one object per letter; one that arrives twice is written twice to the same place."""

    storage: ObjectStorage
    clock: Clock
    storage_url: str

    def __call__(self, letter: DeadLetter) -> str:
        """Store the letter durably and return where."""
        uri = self.storage_url + letter.key
        try:
            self.storage.write(uri, io.BytesIO(letter.to_json(self.clock.now())))
        except PermanentError as error:
            # What storage rejects here is our set-up's mistake: the letter has to be retried.
            raise StorageUnavailableError(error.message) from error
        return uri
