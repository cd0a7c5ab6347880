"""Starts and stops event sources as their objects are created, changed and deleted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_embedded.broker.deliver.sender import Sender, create_session
from lambda_embedded.eventing.destinations import DestinationResolver
from lambda_embedded.sources.api_server_source import ApiServerSource
from lambda_embedded.sources.ping_source import PingSource
from lambda_embedded.sources.sink import Sink
from lambda_embedded.sources.source_status import source_status
from lambda_embedded.store.objects import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from lambda_embedded.access.platform_credentials import PlatformCredentials
    from lambda_embedded.eventing.destinations import Resolve
    from lambda_embedded.sources.sink import Accept
    from lambda_embedded.store.objects import Change, Objects

logger = logging.getLogger(__name__)

KINDS = ("ApiServerSource", "PingSource")
_RESPONSE_LIMIT_BYTES = 1024 * 1024

Key = tuple[str, str, str]  # kind, namespace, name


@dataclass(frozen=True, slots=True)
class _Source:
    item: Mapping[str, Any]
    url: str | None = None
    work: ApiServerSource | PingSource | None = None
    task: asyncio.Task[None] | None = None
    problem: str | None = None

    def is_same(self, item: Mapping[str, Any], url: str | None) -> bool:
        mine, other = self.item["metadata"], item["metadata"]
        same = mine["uid"] == other["uid"] and self.item.get("spec") == item.get("spec")
        return same and self.url == url


class SourceController:
    """All ApiServerSources and PingSources; each runs while its sink has an address."""

    def __init__(
        self,
        objects: Objects,
        accept: Accept,
        *,
        api_url: str,
        resolve: Resolve | None = None,
        credentials: PlatformCredentials | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._objects = objects
        self._accept = accept
        self._api_url = api_url
        self._resolve = resolve or DestinationResolver(objects).resolve
        self._credentials = credentials
        self._session = session
        self._own_session: aiohttp.ClientSession | None = None
        self._sender: Sender | None = None
        self._sources: dict[Key, _Source] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Start, work until cancelled, stop."""
        await self.start()
        try:
            if self._watcher is not None:
                await self._watcher
        finally:
            await self.stop()

    async def start(self) -> None:
        """Start every source; the Broker must be running."""
        session = self._session
        if session is None:
            session = self._own_session = create_session()
        self._sender = Sender(
            session, reply_limit_bytes=_RESPONSE_LIMIT_BYTES, credentials=self._credentials
        )
        changes = self._objects.watch()
        for kind in KINDS:
            for item in self._objects.list(kind):
                self._put(kind, item)
        self._watcher = asyncio.get_running_loop().create_task(self._watch(changes))

    async def stop(self) -> None:
        """Stop every source."""
        tasks = [source.task for source in self._sources.values()] + [self._watcher]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._sources, self._watcher = {}, None
        if self._own_session is not None:
            await self._own_session.close()
            self._own_session = None

    async def _watch(self, changes: asyncio.Queue[Change]) -> None:
        try:
            while True:
                change = await changes.get()
                try:
                    self._apply(change)
                except Exception:
                    # One malformed object must not stop every source.
                    logger.exception("a change of a %s could not be applied", change.kind)
        finally:
            self._objects.unwatch(changes)

    def _apply(self, change: Change) -> None:
        if change.kind in KINDS:
            if change.type == "DELETED":
                self._remove(_key(change.kind, change.object))
            else:
                self._put(change.kind, change.object)
        else:
            for key, source in list(self._sources.items()):
                item = self._objects.find(*key) if _names(source.item, change) else None
                if item is not None:
                    self._put(key[0], item)
        for source in self._sources.values():
            if isinstance(source.work, ApiServerSource):
                source.work.observe(change)

    def _put(self, kind: str, item: Mapping[str, Any]) -> None:
        key = _key(kind, item)
        url = self._resolve((item.get("spec") or {}).get("sink") or {}, key[1])
        old = self._sources.get(key)
        if old is None or not old.is_same(item, url):
            self._remove(key)
            self._sources[key] = self._start(kind, item, url)
        self._write_status(kind, item, self._sources[key])

    def _remove(self, key: Key) -> None:
        source = self._sources.pop(key, None)
        if source is not None and source.task is not None:
            source.task.cancel()

    def _start(self, kind: str, item: Mapping[str, Any], url: str | None) -> _Source:
        if url is None or self._sender is None:
            return _Source(item, url)
        namespace = item["metadata"].get("namespace", "")
        sink = Sink(
            item["spec"]["sink"],
            url=url,
            namespace=namespace,
            accept=self._accept,
            sender=self._sender,
        )
        work: ApiServerSource | PingSource
        try:
            if kind == "PingSource":
                work = PingSource(item, sink=sink)
            else:
                work = ApiServerSource(
                    item, objects=self._objects, sink=sink, api_url=self._api_url
                )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("%s %s cannot run: %s", kind, item["metadata"]["name"], error)
            return _Source(item, url, problem=f"{type(error).__name__}: {error}")
        task = asyncio.get_running_loop().create_task(work.run())
        return _Source(item, url, work, task)

    def _write_status(self, kind: str, item: Mapping[str, Any], source: _Source) -> None:
        namespace, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
        status = source_status(
            kind, item, url=source.url, problem=source.problem, api_url=self._api_url
        )
        if item.get("status") != status:
            try:
                self._objects.update_status(kind, namespace, name, status)
            except NotFoundError:
                return


def _key(kind: str, item: Mapping[str, Any]) -> Key:
    return kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _names(item: Mapping[str, Any], change: Change) -> bool:
    reference = ((item.get("spec") or {}).get("sink") or {}).get("ref") or {}
    namespace = reference.get("namespace") or item["metadata"].get("namespace", "")
    wanted = (reference.get("kind"), namespace, reference.get("name"))
    return wanted == _key(change.kind, change.object)
