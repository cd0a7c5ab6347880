"""Who is next when more builds are asked for than may run at once.

The next place goes to the tenant of which the fewest builds run, and among a tenant's own to the
oldest. So no tenant starves another, however many builds it asks for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from knative_lambda.domain.names import FunctionId

_NO_TURNS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedBuild:
    """A build that waits or runs; `version` tells whether its Job has changed since."""

    name: str
    uid: str
    version: str
    function: FunctionId
    build_id: str
    request_id: str
    created_at: datetime
    waits: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildLimits:
    """How many builds may run at once."""

    in_all: int
    per_tenant: int


def waiting_in_order(
    builds: Sequence[QueuedBuild], turns: Mapping[str, int] = _NO_TURNS
) -> list[QueuedBuild]:
    """Return those that wait, the next one first; `turns` that a tenant has had count as builds."""
    ahead = _running_by_tenant(builds) + Counter(turns)
    found: list[tuple[int, QueuedBuild]] = []
    for build in sorted((each for each in builds if each.waits), key=_age):
        found.append((ahead[build.function.namespace], build))
        ahead[build.function.namespace] += 1
    return [build for _, build in sorted(found, key=lambda turn: (turn[0], _age(turn[1])))]


def may_run_now(
    builds: Sequence[QueuedBuild], limits: BuildLimits, turns: Mapping[str, int] = _NO_TURNS
) -> list[QueuedBuild]:
    """Return those that wait and for which there is room, the next one first.

    `turns` decide the order alone: they take no room.
    """
    running = _running_by_tenant(builds)
    found: list[QueuedBuild] = []
    for build in waiting_in_order(builds, turns):
        if running.total() >= limits.in_all:
            break
        tenant = build.function.namespace
        if running[tenant] < limits.per_tenant:
            running[tenant] += 1
            found.append(build)
    return found


def place_in_words(place: int, of: int) -> str:
    """Return `3rd of 7 waiting builds`."""
    tens, ones = divmod(place % 100, 10)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(ones, "th") if tens != 1 else "th"
    return f"{place}{ending} of {of} waiting build{'' if of == 1 else 's'}"


def _running_by_tenant(builds: Sequence[QueuedBuild]) -> Counter[str]:
    return Counter(build.function.namespace for build in builds if not build.waits)


def _age(build: QueuedBuild) -> tuple[datetime, str, str]:
    # Kubernetes tells times to the second; the id of a request begins with its own.
    return build.created_at, build.request_id, build.name
