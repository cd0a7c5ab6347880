"""One Service: its revisions, and the pool that has its traffic."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knative_lambda.manifests import labels
from lambda_embedded.processes.environment import UnresolvedEnvironmentError
from lambda_embedded.serving.background_tasks import BackgroundTasks
from lambda_embedded.serving.ownership import CLUSTER_LOCAL, VISIBILITY_LABEL
from lambda_embedded.serving.pool.revision_pool import RevisionPool
from lambda_embedded.serving.pool.starter import StartError
from lambda_embedded.serving.services.revisions import (
    failure_of,
    is_made_from,
    is_ready,
    is_unresolved,
)
from lambda_embedded.serving.services.route import Route
from lambda_embedded.serving.services.status import ServiceState, service_status
from lambda_embedded.serving.template import serving_rules, template_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_embedded.serving.launchers.launcher import Launcher
    from lambda_embedded.serving.pool.pods import LambdaPods
    from lambda_embedded.serving.pool.starter import Starter
    from lambda_embedded.serving.services.revisions import Revisions
    from lambda_embedded.serving.settings import ServingSettings
    from lambda_embedded.store.objects import KubernetesObject, Objects

_STARTING = "the first revision is starting"
# Callers do not learn why: the reason quotes what the function wrote.
_DID_NOT_START = "the function did not start; `kn-lambda describe` says why"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What all Services share."""

    objects: Objects
    revisions: Revisions
    pods: LambdaPods
    starter: Starter
    launchers: Sequence[Launcher]
    settings: ServingSettings
    base_url: str


class ServedService:
    """Moves traffic to a new revision once it is ready; until then the old one keeps it."""

    def __init__(self, parts: Parts, service: KubernetesObject) -> None:
        self._parts = parts
        self._service = service
        self._digest: str | None = None
        self._annotations = service["metadata"].get("annotations")
        self._is_failed = _is_called_failed(service)
        self._active: KubernetesObject | None = None
        self._roll_out: asyncio.Task[None] | None = None
        self._tasks = BackgroundTasks()
        self._retired: set[RevisionPool] = set()
        self.route = Route(_STARTING)
        self.uid: str = service["metadata"]["uid"]
        metadata = service["metadata"]
        self.url = f"{parts.base_url}/{metadata['namespace']}/{metadata['name']}"

    def apply(self, service: KubernetesObject) -> None:
        """Apply the Service as it is now; an unchanged template changes nothing."""
        self._service = service
        labels = service["metadata"].get("labels") or {}
        self.route.is_cluster_local = labels.get(VISIBILITY_LABEL) == CLUSTER_LOCAL
        digest = template_digest(service["spec"]["template"])
        # An unchanged Service that is deployed again only gets new annotations, or loses the label.
        annotations, is_failed = service["metadata"].get("annotations"), _is_called_failed(service)
        again = annotations != self._annotations or (self._is_failed and not is_failed)
        self._annotations, self._is_failed = annotations, is_failed
        if digest != self._digest:
            self._digest = digest
            self._cancel_roll_out()
            self._start_roll_out(service)
        elif self._roll_out is None:
            if again:
                self.retry(only_unresolved=False)
            self._report()

    def retry(self, *, only_unresolved: bool = True) -> None:
        """Start a failed revision again, by default only one whose environment was incomplete."""
        revisions = self._parts.revisions.of_service(self._service)
        newest = revisions[-1] if revisions else None
        if self._roll_out is not None or newest is None or failure_of(newest) is None:
            return
        if is_unresolved(newest) or not only_unresolved:
            self._parts.revisions.set_starting(newest)
            self._start_roll_out(self._service)

    async def delete(self) -> None:
        """Stop all processes and remove all that belongs to the Service."""
        self.route.is_deleted = True
        revisions = self._parts.revisions.of_service(self._service)
        # At once: a Service of the same name may be created before the processes are gone.
        for revision in revisions:
            self._parts.revisions.delete(revision)
        await self.stop()
        for revision in revisions:
            self._parts.pods.remove_revision(revision)
        await self._collect()

    async def stop(self) -> None:
        """Stop all processes; objects stay."""
        self.route.not_ready_message = "the platform is stopping"
        self._cancel_roll_out()
        pool, self.route.pool = self.route.pool, None
        pools = [*self._retired, *([pool] if pool else [])]
        await asyncio.gather(*(each.close() for each in pools))
        await self._tasks.wait()

    async def _move_to_template(self, service: KubernetesObject) -> None:
        revisions = self._parts.revisions.of_service(service)
        if self._active is None:
            self._resume(revisions)
        newest = revisions[-1] if revisions else None
        if newest is None or not is_made_from(newest, service):
            newest = self._parts.revisions.create(service)
        # What was missing may have been created right before the platform ended.
        is_over = failure_of(newest) is not None and not is_unresolved(newest)
        is_settled = is_ready(newest) or is_over
        if not is_settled:
            self._report()
            await self._try_out(newest)
        self._roll_out = None
        self._report()
        if not is_settled:
            await self._prune()

    def _resume(self, revisions: list[KubernetesObject]) -> None:
        """Route to the revision that had the traffic before a restart; no process starts."""
        for revision in reversed(revisions):
            if is_ready(revision):
                self._activate(revision, self._pool(revision))
                return

    async def _try_out(self, revision: KubernetesObject) -> None:
        try:
            pool = self._pool(revision)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # Nothing has validated the template before.
            self._parts.revisions.set_failed(
                revision, f"spec.template: {error!r}", unresolved=False
            )
            return
        try:
            await pool.start_first()
        except StartError as error:
            unresolved = isinstance(error.__cause__, UnresolvedEnvironmentError)
            self._parts.revisions.set_failed(revision, str(error), unresolved=unresolved)
        except asyncio.CancelledError:
            pool.retire()
            raise
        else:
            self._parts.revisions.set_ready(revision)
            self._activate(revision, pool)

    def _activate(self, revision: KubernetesObject, pool: RevisionPool) -> None:
        old, self.route.pool = self.route.pool, pool
        self._active = revision
        pool.keep_minimum()
        if old is not None:
            self._retired.add(old)
            self._tasks.spawn(self._drain(old))

    async def _drain(self, pool: RevisionPool) -> None:
        pool.retire()
        await pool.wait_until_stopped()
        self._retired.discard(pool)
        if not self.route.is_deleted:
            await self._prune()

    async def _prune(self) -> None:
        """Keep the active revision, the newest, and one more for its log."""
        revisions = self._parts.revisions.of_service(self._service)
        kept = {pool.revision_name for pool in self._retired}
        if self._active is not None:
            kept.add(self._active["metadata"]["name"])
        others = [item for item in revisions[:-1] if item["metadata"]["name"] not in kept]
        unneeded = others[:-1]
        for revision in unneeded:
            self._parts.revisions.delete(revision)
            self._parts.pods.remove_revision(revision)
        if unneeded:
            await self._collect()

    async def _collect(self) -> None:
        for launcher in self._parts.launchers:
            await launcher.collect(self._parts.revisions.all)

    def _report(self) -> None:
        metadata = self._service["metadata"]
        current = self._parts.objects.find("Service", metadata["namespace"], metadata["name"])
        if current is None or current["metadata"]["uid"] != self.uid:
            return
        revisions = self._parts.revisions.of_service(self._service)
        if not revisions:
            return
        failure = failure_of(revisions[-1])
        self.route.not_ready_message = _DID_NOT_START if failure else _STARTING
        state = ServiceState(
            url=self.url,
            created=revisions[-1]["metadata"]["name"],
            ready=self._active["metadata"]["name"] if self._active else None,
            failure=failure,
        )
        self._service = {**self._service, "status": current.get("status")}
        status = service_status(self._service, state)
        self._parts.objects.update_status(
            "Service", metadata["namespace"], metadata["name"], status
        )

    def _pool(self, revision: KubernetesObject) -> RevisionPool:
        return RevisionPool(
            revision=revision,
            rules=serving_rules(revision, self._parts.settings),
            starter=self._parts.starter,
            pods=self._parts.pods,
            settings=self._parts.settings,
        )

    def _start_roll_out(self, service: KubernetesObject) -> None:
        self._roll_out = self._tasks.spawn(self._move_to_template(service))
        self.route.roll_out = self._roll_out

    def _cancel_roll_out(self) -> None:
        if self._roll_out is not None:
            self._roll_out.cancel()
            self._roll_out = None


def _is_called_failed(service: KubernetesObject) -> bool:
    return labels.FAILED in (service["metadata"].get("labels") or {})
