"""The processes of one revision: when to start one, and when to stop."""

from __future__ import annotations

import asyncio
import math
import signal
from typing import TYPE_CHECKING

from lambda_embedded.serving.background_tasks import BackgroundTasks
from lambda_embedded.serving.pool.backoff import Backoff
from lambda_embedded.serving.pool.slots import CrashLoopError, RevisionRetiredError, Slots
from lambda_embedded.serving.pool.starter import StartError

if TYPE_CHECKING:
    from lambda_embedded.serving.pool.lambda_process import LambdaProcess
    from lambda_embedded.serving.pool.pod import LambdaPod
    from lambda_embedded.serving.pool.pods import LambdaPods
    from lambda_embedded.serving.pool.starter import Starter
    from lambda_embedded.serving.settings import ServingSettings
    from lambda_embedded.serving.template import ServingRules
    from lambda_embedded.store.objects import KubernetesObject

_ENDED_BY_OTHERS = {-signal.SIGKILL, -signal.SIGTERM}


class RevisionPool:
    """Scales one revision between its bounds; all methods belong to the event loop's thread.

    At most one process starts at a time, so that requests that come together share the one start.
    """

    def __init__(
        self,
        *,
        revision: KubernetesObject,
        rules: ServingRules,
        starter: Starter,
        pods: LambdaPods,
        settings: ServingSettings,
    ) -> None:
        self.rules = rules
        self._revision = revision
        self._starter = starter
        self._pods = pods
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(settings, self._loop.time)
        self._slots = Slots(
            concurrency=rules.concurrency,
            target=rules.target,
            held_limit=settings.held_requests_limit,
            on_short=self._want_more,
            on_idle=self._went_idle,
        )
        self.take = self._slots.take
        self.release = self._slots.release
        self._crashed_pods: list[LambdaPod] = []
        self._start: asyncio.Task[None] | None = None
        self._tasks = BackgroundTasks()
        self._scale_up: asyncio.TimerHandle | None = None
        self._idle_check: asyncio.TimerHandle | None = None
        self._idle_since = self._loop.time()
        self._is_retired = False

    @property
    def revision_name(self) -> str:
        """The name of the revision."""
        name: str = self._revision["metadata"]["name"]
        return name

    @property
    def has_held(self) -> bool:
        """Whether requests wait for a process."""
        return self._slots.has_held

    async def start_first(self) -> None:
        """Start a process whether or not a request is there; `StartError` when it fails."""
        pod = self._pods.new(self._revision)
        try:
            process = await self._start_again_if_killed(pod)
        except StartError as error:
            pod.finished(failed=True, message=str(error))
            self._pods.keep_newest_finished(self._revision)
            raise
        except asyncio.CancelledError:
            pod.finished()
            raise
        self._add(process)

    async def _start_again_if_killed(self, pod: LambdaPod) -> LambdaProcess:
        """Retry a few times if somebody killed the process; the revision may be sound."""
        while True:
            try:
                return await self._starter.start(self._revision, self.rules, pod)
            except StartError as error:
                self._backoff.failed()
                if error.returncode not in _ENDED_BY_OTHERS or self._backoff.is_looping:
                    raise
                pod.crashed(error.returncode, str(error), looping=False)
            await asyncio.sleep(self._backoff.remaining_seconds)

    async def hold(self) -> LambdaProcess:
        """Wait for a process; return it with `release`. A cancelled wait takes none.

        Raises `CrashLoopError`, `TooManyRequestsError`, `RevisionRetiredError`.
        """
        if self._is_retired:
            raise RevisionRetiredError
        waiting = self._backoff.is_looping and self._backoff.remaining_seconds
        if waiting and not self._slots.ready:
            raise self._crash_loop()
        return await self._slots.hold()

    def keep_minimum(self) -> None:
        """Start a process while there are fewer than `min-scale`."""
        if len(self._slots.ready) < self.rules.min_processes:
            self._begin_start()

    def retire(self) -> None:
        """Take no further requests; stop once those in progress are over."""
        self._is_retired = True
        for timer in (self._scale_up, self._idle_check):
            if timer is not None:
                timer.cancel()
        if self._start is not None:
            self._start.cancel()
        self._slots.reject_held(RevisionRetiredError())
        self._stop_idle(keep=0)

    async def close(self) -> None:
        """Stop everything now, including requests in progress."""
        self.retire()
        for process in list(self._slots.ready):
            self._stop(process)
        await self.wait_until_stopped()

    async def wait_until_stopped(self) -> None:
        """Return once no process of a retired revision is left."""
        await self._tasks.wait()
        for pod in self._crashed_pods:
            pod.finished()
        self._crashed_pods.clear()

    def _want_more(self) -> None:
        running = len(self._slots.ready)
        if self._is_retired or running >= self.rules.max_processes:
            return
        if running == 0:
            self._begin_start()
        elif self._scale_up is None:
            delay = self._settings.scale_up_delay_seconds
            self._scale_up = self._loop.call_later(delay, self._still_short)

    def _still_short(self) -> None:
        self._scale_up = None
        if self._slots.is_short and len(self._slots.ready) < self.rules.max_processes:
            self._begin_start()

    def _begin_start(self) -> None:
        if self._start is None and not self._is_retired:
            self._start = self._tasks.spawn(self._start_one())

    async def _start_one(self) -> None:
        try:
            await asyncio.sleep(self._backoff.remaining_seconds)
            pod = self._crashed_pods.pop() if self._crashed_pods else self._pods.new(self._revision)
            try:
                process = await self._starter.start(self._revision, self.rules, pod)
            except StartError as error:
                self._note_failure(pod, str(error), error.returncode)
            except asyncio.CancelledError:
                pod.finished()
                raise
            else:
                self._add(process)
        finally:
            self._start = None
        self._go_on()

    def _add(self, process: LambdaProcess) -> None:
        self._tasks.spawn(self._watch(process))
        self._idle_since = self._loop.time()
        self._slots.add(process)
        # After the held requests were sent: they need not wait for the disk as well.
        self._loop.call_soon(process.pod.ready)
        self._plan_idle_check(self.rules.idle_seconds)

    async def _watch(self, process: LambdaProcess) -> None:
        await process.wait()
        if process.is_stopping:
            return
        self._slots.remove(process)
        self._note_failure(
            process.pod, process.last_words(), process.returncode, process.alive_seconds
        )
        self._go_on()

    def _note_failure(
        self, pod: LambdaPod, message: str, returncode: int | None, alive_seconds: float = 0.0
    ) -> None:
        self._backoff.failed(alive_seconds=alive_seconds)
        pod.crashed(returncode, message, looping=self._backoff.is_looping)
        self._crashed_pods.append(pod)
        if self._backoff.is_looping and not self._slots.ready:
            self._slots.reject_held(self._crash_loop())

    def _go_on(self) -> None:
        if self._slots.is_short:
            self._want_more()
        self.keep_minimum()

    def _crash_loop(self) -> CrashLoopError:
        return CrashLoopError(self._backoff.remaining_seconds)

    def _went_idle(self) -> None:
        self._idle_since = self._loop.time()
        if self._is_retired:
            self._stop_idle(keep=0)

    def _plan_idle_check(self, delay: float) -> None:
        if self._idle_check is None and not self._is_retired:
            self._idle_check = self._loop.call_later(delay, self._check_idle)

    def _check_idle(self) -> None:
        self._idle_check = None
        rules, slots = self.rules, self._slots
        # Between the retention and the window the last process stays.
        idle = self._loop.time() - self._idle_since if slots.is_idle else 0.0
        needed = math.ceil(slots.peak / rules.target) if idle < rules.idle_seconds else 1
        if idle >= rules.idle_seconds + rules.retention_seconds:
            needed = 0
        slots.peak = slots.under_way
        self._stop_idle(keep=max(needed, rules.min_processes))
        if len(slots.ready) > rules.min_processes:
            window = rules.idle_seconds + (rules.retention_seconds if needed == 1 else 0.0)
            self._plan_idle_check(max(window - idle, 0.01))

    def _stop_idle(self, *, keep: int) -> None:
        for process in list(self._slots.ready):
            if len(self._slots.ready) > keep and process.under_way == 0:
                self._stop(process)

    def _stop(self, process: LambdaProcess) -> None:
        process.is_stopping = True
        self._slots.remove(process)
        self._tasks.spawn(self._finish(process))

    async def _finish(self, process: LambdaProcess) -> None:
        await process.stop(self._settings.stop_grace_seconds)
        process.pod.finished()
        self._pods.keep_newest_finished(self._revision)
