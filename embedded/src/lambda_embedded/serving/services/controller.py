"""Reconciles the Services of the platform."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

from lambda_embedded.serving.background_tasks import BackgroundTasks
from lambda_embedded.serving.ownership import owner_uid
from lambda_embedded.serving.services.served_service import Parts, ServedService

if TYPE_CHECKING:
    from lambda_embedded.serving.services.route import Route, RouteKey
    from lambda_embedded.store.objects import Change, KubernetesObject

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class ServiceController:
    """Keeps `routes` and the revisions of all Services in line with the Service objects."""

    def __init__(self, parts: Parts, routes: dict[RouteKey, Route]) -> None:
        self._parts = parts
        self._routes = routes
        self._services: dict[RouteKey, ServedService] = {}
        self._deletions = BackgroundTasks()
        self._changes: asyncio.Queue[Change]

    def take_over(self) -> None:
        """Route to the existing Services; for those that were ready, no process starts."""
        self._changes = self._parts.objects.watch()
        self._parts.pods.take_over()
        services = self._parts.objects.list("Service")
        self._remove_orphans({item["metadata"]["uid"] for item in services})
        for service in services:
            self._apply(service)

    async def run(self) -> None:
        """Apply every change since `take_over`, until cancelled."""
        try:
            while True:
                self._apply_change(await self._changes.get())
        finally:
            self._parts.objects.unwatch(self._changes)

    async def stop(self) -> None:
        """Stop every process of every Service."""
        await asyncio.gather(*(service.stop() for service in self._services.values()))
        await self._deletions.wait()

    def _apply_change(self, change: Change) -> None:
        if change.kind == "Pod" and change.type == "DELETED":
            self._parts.pods.forget(change.object)
        elif change.kind in {"ConfigMap", "Secret"} and change.type != "DELETED":
            for (namespace, _), served in self._services.items():
                if namespace == change.object["metadata"]["namespace"]:
                    served.retry()
        elif change.kind == "Service":
            if change.type == "DELETED":
                self._delete(change.object)
            else:
                self._apply(change.object)

    def _apply(self, service: KubernetesObject) -> None:
        key = _key(service)
        if not all(_NAME.fullmatch(part) for part in key):
            # Names become folders; the API server admits only valid ones.
            _log.error("Service %s/%s is ignored: not a valid name", *key)
            return
        served = self._services.get(key)
        if served is not None and served.uid != service["metadata"]["uid"]:
            self._deletions.spawn(self._services.pop(key).delete())
            served = None
        if served is None:
            served = self._services[key] = ServedService(self._parts, service)
            self._routes[key] = served.route
        try:
            served.apply(service)
        except (LookupError, TypeError, AttributeError):
            _log.exception("Service %s/%s is not well-formed", *key)

    def _delete(self, service: KubernetesObject) -> None:
        key = _key(service)
        served = self._services.get(key)
        if served is not None and served.uid == service["metadata"]["uid"]:
            del self._services[key]
            del self._routes[key]
            self._deletions.spawn(served.delete())

    def _remove_orphans(self, services: set[str]) -> None:
        for revision in self._parts.objects.list("Revision"):
            if owner_uid(revision) not in services:
                self._parts.pods.remove_revision(revision)
                self._parts.revisions.delete(revision)


def _key(service: KubernetesObject) -> RouteKey:
    return service["metadata"]["namespace"], service["metadata"]["name"]
