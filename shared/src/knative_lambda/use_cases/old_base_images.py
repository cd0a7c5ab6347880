"""Which lambdas stand on an old base image, so that somebody builds them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from knative_lambda.domain.events import MAX_OLD_BASE_IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from knative_lambda.domain.lambda_function import LambdaFunction


@dataclass(kw_only=True, slots=True)
class OldBaseImages:
    """The first lambdas by name, and how many there are in all."""

    current: Mapping[str, str]
    """Runtime -> base image by digest."""
    names: list[str] = field(default_factory=list)
    count: int = 0

    def noting(self, records: Iterable[LambdaFunction]) -> Iterator[LambdaFunction]:
        """Yield the records as they come, and note those whose newest build used another image."""
        for record in records:
            if self._is_old(record):
                self.count += 1
                if len(self.names) < MAX_OLD_BASE_IMAGES:
                    self.names.append(str(record.id))
            yield record

    def _is_old(self, record: LambdaFunction) -> bool:
        build, current = record.status.build, self.current.get(record.spec.runtime)
        if build is None or build.base_image is None or current is None:
            return False  # an image of the author's own, or of a runtime that is gone
        # The same image may have another address by now.
        return _digest(build.base_image) != _digest(current)


def _digest(image: str) -> str:
    return image.rpartition("@")[2]
