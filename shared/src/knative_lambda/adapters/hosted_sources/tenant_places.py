"""How many sources of one tenant may be fetched at once."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Iterator


class TenantPlaces:
    """Nobody waits here: who waits has a thread, and those are what a slow host would take away."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def taken(self, namespace: str) -> Iterator[None]:
        """Take one for as long as the context lasts; `ThrottledError` where none is left."""
        with self._lock:
            if self._taken[namespace] >= self._number:
                raise ThrottledError(
                    f"other sources of {namespace} are being fetched",
                    retry_after=timedelta(seconds=1),
                )
            self._taken[namespace] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= Counter([namespace])
