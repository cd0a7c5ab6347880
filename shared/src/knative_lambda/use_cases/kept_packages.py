"""The note that packages are kept: since when, and whether hashes name them."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.domain import build
from knative_lambda.domain.errors import SourceNotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import ObjectStorage

_MOST_BYTES = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptPackages:
    """What the note says."""

    since: datetime
    pinned: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PackagesNotes:
    """One note for each of a lambda's kept packages, which also tells cleanup their age."""

    storage: ObjectStorage
    storage_url: str

    def write(self, function: FunctionId, key: str, *, pinned: bool) -> None:
        """Note that these packages are kept from now on."""
        note = json.dumps({"pinned": pinned}).encode()
        self.storage.write(self._uri(function, key), io.BytesIO(note))

    def read(self, function: FunctionId, key: str) -> KeptPackages | None:
        """Return what is noted; None for packages that are being collected."""
        uri, note = self._uri(function, key), io.BytesIO()
        try:
            since = self.storage.describe(uri).modified_at
            self.storage.read(uri, note, max_bytes=_MOST_BYTES)
        except SourceNotFoundError:
            return None
        return KeptPackages(since=since, pinned=json.loads(note.getvalue()).get("pinned") is True)

    def _uri(self, function: FunctionId, key: str) -> str:
        return self.storage_url + build.kept_packages_key(function, key)
