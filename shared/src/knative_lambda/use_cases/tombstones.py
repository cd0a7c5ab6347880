"""Notes in storage that a lambda was deleted: an earlier request must not bring it back.

They are kept outside Kubernetes, where a deletion leaves nothing, until no delivery can still be
under way.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from knative_lambda.domain.build import tombstone_key
from knative_lambda.domain.errors import SourceNotFoundError
from knative_lambda.domain.lambda_function import RequestStamp

if TYPE_CHECKING:
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import ObjectStorage

# An event id of 2048 characters, each written as a surrogate pair of JSON, and a time.
_MAX_BYTES = 64 * 1024


def read_tombstone(
    storage: ObjectStorage, storage_url: str, function: FunctionId
) -> RequestStamp | None:
    """Return the newest deletion of this lambda, as long as it is remembered."""
    note = io.BytesIO()
    try:
        storage.read(storage_url + tombstone_key(function), note, max_bytes=_MAX_BYTES)
    except SourceNotFoundError:
        return None
    return RequestStamp.model_validate_json(note.getvalue())


def write_tombstone(
    storage: ObjectStorage, storage_url: str, function: FunctionId, deletion: RequestStamp
) -> None:
    """Remember a deletion, unless a newer one is remembered."""
    known = read_tombstone(storage, storage_url, function)
    if known is None or known.is_older_than(deletion):
        note = io.BytesIO(deletion.model_dump_json().encode())
        storage.write(storage_url + tombstone_key(function), note)
