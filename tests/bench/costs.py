"""What events cost: how often a Broker delivered, and processor time of the control functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.samples import Samples, Table
from tests.helpers.lambda_platform import BUILD_START

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

_NO_CONTENT = "204"


class Delivered(NamedTuple):
    """Deliveries of one kind, as a key of a count."""

    trigger: str
    type: str
    status: str


@dataclass
class Costs:
    """Of the deployments of one scenario."""

    deliveries: Samples = field(default_factory=Samples)
    wakes: Samples = field(default_factory=Samples)
    """Deliveries of `build.start` to functions that it only wakes."""
    processor: Table = field(default_factory=Table)
    """Seconds by function."""

    def add(self, delivered: Counter[Delivered], seconds: Mapping[str, float]) -> None:
        """Note one deployment."""
        self.deliveries.add(delivered.total())
        self.wakes.add(sum(count for key, count in delivered.items() if _is_wake(key)))
        for function, spent in seconds.items():
            self.processor[function].add(spent)


def spent_since(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Seconds by function, of seconds by function and process; who ended meanwhile is left out."""
    return {
        function: sum(
            seconds - before.get(function, {}).get(process, 0.0)
            for process, seconds in processes.items()
        )
        for function, processes in after.items()
    }


def _is_wake(key: Delivered) -> bool:
    return key.type == BUILD_START and key.status == _NO_CONTENT
