"""When each delivery is made: lanes limit concurrency, and a delivery that waits has no task."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_embedded.broker.store.deliveries import Scheduled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

logger = logging.getLogger(__name__)

# Clocks change and machines sleep, so no timer runs for longer than this.
_LONGEST_TIMER_SECONDS = 30.0
_AFTER_INTERNAL_ERROR_SECONDS = 1.0


class UnresolvedSubscriberError(Exception):
    """The subscriber has no address yet; its whole lane has to wait."""


@dataclass(slots=True)
class _Lane:
    ready: deque[int] = field(default_factory=deque)
    running: set[int] = field(default_factory=set)
    blocked: bool = False


class Dispatcher:
    """Calls `deliver` for each scheduled delivery; it returns when to try again, or None.

    No lane waits for another. The store holds all that is needed to rebuild this state.
    """

    def __init__(
        self,
        deliver: Callable[[int], Awaitable[float | None]],
        *,
        concurrency: int,
        blocked_seconds: float,
    ) -> None:
        self._deliver = deliver
        self._concurrency = concurrency
        self._blocked_seconds = blocked_seconds
        self._waiting: list[tuple[float, int, str]] = []
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def add(self, deliveries: Iterable[Scheduled]) -> None:
        """Make these deliveries when they are due."""
        for delivery in deliveries:
            heapq.heappush(self._waiting, (delivery.due, delivery.sequence, delivery.lane))
        self._release()

    def running(self, lane: str) -> set[int]:
        """Return the deliveries of a lane that are in progress."""
        return set(self._lanes[lane].running) if lane in self._lanes else set()

    def unblock(self) -> None:
        """Retry the lanes whose subscribers had no address."""
        for name, lane in list(self._lanes.items()):
            if lane.blocked:
                lane.blocked = False
                self._start(name, lane)

    async def stop(self, drain_seconds: float) -> None:
        """Start nothing more, and cancel what is still in progress after `drain_seconds`."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _release(self) -> None:
        now = time.time()
        while self._waiting and self._waiting[0][0] <= now:
            _due, delivery, name = heapq.heappop(self._waiting)
            lane = self._lanes.setdefault(name, _Lane())
            lane.ready.append(delivery)
            self._start(name, lane)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._stopped:
            seconds = min(self._waiting[0][0] - now, _LONGEST_TIMER_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._release)

    def _start(self, name: str, lane: _Lane) -> None:
        while not (self._stopped or lane.blocked or len(lane.running) >= self._concurrency):
            if not lane.ready:
                if not lane.running:
                    del self._lanes[name]
                return
            delivery = lane.ready.popleft()
            lane.running.add(delivery)
            task = asyncio.get_running_loop().create_task(self._run(name, lane, delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, name: str, lane: _Lane, delivery: int) -> None:
        due: float | None = None
        try:
            due = await self._deliver(delivery)
        except UnresolvedSubscriberError:
            lane.ready.appendleft(delivery)
            self._block(lane)
        except Exception:
            # An internal error (a full disk, a bug) is not the subscriber's failure: try again.
            logger.exception("delivery %d failed internally and will be tried again", delivery)
            due = time.time() + _AFTER_INTERNAL_ERROR_SECONDS
        finally:
            lane.running.discard(delivery)
        if due is not None:
            self.add([Scheduled(delivery, name, due)])
        self._start(name, lane)

    def _block(self, lane: _Lane) -> None:
        if not lane.blocked and not self._stopped:
            lane.blocked = True
            asyncio.get_running_loop().call_later(self._blocked_seconds, self.unblock)
