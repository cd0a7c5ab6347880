"""The Job controller: creates pods for Jobs until they are Complete or Failed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lambda_embedded.jobs.job_status import (
    DEADLINE_EXCEEDED,
    JobEnd,
    active_status,
    counted_failures,
    finished_status,
    is_finished,
    judge,
    suspended_status,
)
from lambda_embedded.jobs.pod_failure_policy import PLATFORM_RESTARTED
from lambda_embedded.jobs.pod_object import new_pod
from lambda_embedded.jobs.pod_record import interrupt
from lambda_embedded.store.job_selector import JOB_NAME_LABEL
from lambda_embedded.store.objects import NotFoundError
from lambda_embedded.store.timestamps import seconds_since, timestamp

if TYPE_CHECKING:
    from lambda_embedded.jobs.kubelet import Kubelet
    from lambda_embedded.jobs.settings import JobSettings
    from lambda_embedded.store.objects import Change, KubernetesObject, Objects

_LOG = logging.getLogger(__name__)
_UNFINISHED = frozenset({"Pending", "Running"})


class JobController:
    """Runs every Job; a finished Job never runs again.

    Pods that were running when the platform was killed are marked as failed without counting as
    failures, and new ones take their place. Ending `run` ends all processes.
    """

    def __init__(self, objects: Objects, kubelet: Kubelet, settings: JobSettings) -> None:
        self._objects = objects
        self._kubelet = kubelet
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_pods)
        self._suspending: set[str] = set()
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._pods: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()

    async def run(self) -> None:
        """Run Jobs until cancelled; raises when one of its tasks fails unexpectedly."""
        changes = self._objects.watch()
        try:
            async with self._group:
                await self._recover()
                for job in sorted(self._objects.list("Job"), key=_age):
                    self._consider(job)
                while True:
                    self._apply(await changes.get())
        finally:
            self._objects.unwatch(changes)

    async def _recover(self) -> None:
        await asyncio.to_thread(self._kubelet.forget_all_files)
        jobs = {job["metadata"]["uid"] for job in self._objects.list("Job")}
        for pod in self._objects.list("Pod"):
            if JOB_NAME_LABEL not in (pod["metadata"].get("labels") or {}):
                continue
            if _owner(pod) not in jobs:
                self._delete(pod)
            elif pod["status"]["phase"] in _UNFINISHED:
                self._interrupt(
                    pod, PLATFORM_RESTARTED, "the platform was stopped while the pod ran"
                )

    def _apply(self, change: Change) -> None:
        item = change.object
        if change.kind == "Job":
            if change.type == "DELETED" or item["metadata"].get("deletionTimestamp"):
                self._group.create_task(self._stop(item, delete_all=True))
            else:
                self._consider(item)
        elif change.kind == "Pod" and change.type == "DELETED" and _owner(item):
            self._group.create_task(self._forget(item))

    def _consider(self, job: KubernetesObject) -> None:
        uid = job["metadata"]["uid"]
        suspended = bool(job["spec"].get("suspend"))
        if is_finished(job):
            return
        if suspended and uid not in self._suspending and not _is_suspended(job):
            self._suspending.add(uid)
            self._group.create_task(self._suspend(job))
        elif not suspended and uid not in self._jobs:
            task = self._group.create_task(self._run_job(job))
            self._jobs[uid] = task
            task.add_done_callback(lambda _: self._jobs.pop(uid, None))

    async def _run_job(self, job: KubernetesObject) -> None:
        try:
            limit = asyncio.timeout(_seconds_left(self._current(job)))
            try:
                async with limit:
                    end = await self._run_pods_until_over(job)
            except TimeoutError:
                if not limit.expired():
                    raise
                end = DEADLINE_EXCEEDED
            self._finish(job, end)
        except NotFoundError:
            # The Job was deleted meanwhile; its change comes next.
            return

    async def _run_pods_until_over(self, job: KubernetesObject) -> JobEnd:
        while True:
            pods = self._write_active(job)
            if end := judge(job, pods):
                return end
            failures = counted_failures(job, pods)
            if failures:
                pause = self._settings.backoff_seconds * 2 ** min(failures - 1, 30)
                await asyncio.sleep(min(pause, self._settings.max_backoff_seconds))
            pod = self._objects.create("Pod", new_pod(job))
            self._write_active(job)
            await self._run_pod(pod)

    async def _run_pod(self, pod: KubernetesObject) -> None:
        uid = pod["metadata"]["uid"]
        task = self._group.create_task(self._run_in_slot(pod))
        self._pods[uid] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            await asyncio.wait({task})
            del self._pods[uid]

    async def _run_in_slot(self, pod: KubernetesObject) -> None:
        try:
            # Outside of a slot, which one that waits in vain would keep from all others.
            await self._kubelet.await_variables(pod)
            async with self._slots:
                await self._kubelet.run(pod)
        except* NotFoundError:
            _LOG.debug("pod %s was deleted while it ran", pod["metadata"]["name"])

    async def _suspend(self, job: KubernetesObject) -> None:
        await self._stop(job, delete_all=False)
        metadata = job["metadata"]
        self._suspending.discard(metadata["uid"])
        current = self._objects.find("Job", metadata["namespace"], metadata["name"])
        if current is None or current["metadata"]["uid"] != metadata["uid"]:
            return
        if current["spec"].get("suspend") and not is_finished(current):
            self._write_status(current, suspended_status(job, self._pods_of(job), timestamp()))
        else:
            # The Job was resumed while its processes ended.
            self._consider(current)

    async def _stop(self, job: KubernetesObject, *, delete_all: bool) -> None:
        """End the processes of a Job, and delete its unfinished pods or all of them."""
        task = self._jobs.get(job["metadata"]["uid"])
        if task:
            task.cancel()
            await asyncio.wait({task})
        for pod in self._pods_of(job):
            if delete_all or pod["status"]["phase"] in _UNFINISHED:
                self._delete(pod)

    async def _forget(self, pod: KubernetesObject) -> None:
        task = self._pods.get(pod["metadata"]["uid"])
        if task:
            task.cancel()
            await asyncio.wait({task})
        await asyncio.to_thread(self._kubelet.forget, pod)

    def _finish(self, job: KubernetesObject, end: JobEnd) -> None:
        # Nothing is awaited here, so nobody sees a finished Job with running pods.
        pods = self._pods_of(job)
        self._write_status(job, finished_status(self._current(job), pods, end, timestamp()))
        for pod in pods:
            if pod["status"]["phase"] in _UNFINISHED:
                self._interrupt(pod, end.reason, end.message)

    def _write_active(self, job: KubernetesObject) -> list[KubernetesObject]:
        pods = self._pods_of(job)
        self._write_status(job, active_status(self._current(job), pods, timestamp()))
        return pods

    def _write_status(self, job: KubernetesObject, status: dict[str, Any]) -> None:
        metadata = job["metadata"]
        self._objects.update_status("Job", metadata["namespace"], metadata["name"], status)

    def _current(self, job: KubernetesObject) -> KubernetesObject:
        metadata = job["metadata"]
        current = self._objects.get("Job", metadata["namespace"], metadata["name"])
        if current["metadata"]["uid"] != metadata["uid"]:
            raise NotFoundError(f"Job {metadata['name']} was deleted and created again")
        return current

    def _pods_of(self, job: KubernetesObject) -> list[KubernetesObject]:
        metadata = job["metadata"]
        labels = {JOB_NAME_LABEL: metadata["name"]}
        pods = self._objects.list("Pod", metadata["namespace"], labels=labels)
        return [pod for pod in pods if _owner(pod) == metadata["uid"]]

    def _interrupt(self, pod: KubernetesObject, reason: str, message: str) -> None:
        interrupt(self._objects, pod, reason=reason, message=message)

    def _delete(self, pod: KubernetesObject) -> None:
        metadata = pod["metadata"]
        if self._objects.find("Pod", metadata["namespace"], metadata["name"]):
            self._objects.delete("Pod", metadata["namespace"], metadata["name"])


def _seconds_left(job: KubernetesObject) -> float | None:
    limit = job["spec"].get("activeDeadlineSeconds")
    started = (job.get("status") or {}).get("startTime")
    if limit is None or started is None:
        return None if limit is None else float(limit)
    return max(0.0, float(limit) - seconds_since(started))


def _owner(pod: KubernetesObject) -> str | None:
    for owner in pod["metadata"].get("ownerReferences") or []:
        if owner["kind"] == "Job":
            return str(owner["uid"])
    return None


def _is_suspended(job: KubernetesObject) -> bool:
    return any(
        condition["type"] == "Suspended" and condition["status"] == "True"
        for condition in (job.get("status") or {}).get("conditions") or []
    )


def _age(job: KubernetesObject) -> tuple[str, int]:
    metadata = job["metadata"]
    return metadata["creationTimestamp"], int(metadata["resourceVersion"])
