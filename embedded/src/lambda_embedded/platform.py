"""The embedded platform: its parts, wired together, and their order of start and stop."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Self

from aiohttp import web

from lambda_embedded.access.access import Access
from lambda_embedded.access.certificate import read_or_create_certificate, server_context
from lambda_embedded.access.platform_credentials import PlatformCredentials
from lambda_embedded.access.token import read_or_create_token
from lambda_embedded.api.garbage_collector import GarbageCollector
from lambda_embedded.api.kubeconfig import write_kubeconfig
from lambda_embedded.api.server import create_api
from lambda_embedded.background import Background, PlatformFailedError, listening, set_up
from lambda_embedded.broker.composition import Broker
from lambda_embedded.broker.server import create_server
from lambda_embedded.configuration.checks import check_manifests
from lambda_embedded.configuration.manifests import apply_manifests, read_manifests
from lambda_embedded.configuration.settings import (
    PACKAGE_INDEX_SECRET,
    SETTINGS_CONFIG_MAP,
    embedded_settings,
    file_places,
    package_index_secret,
)
from lambda_embedded.data_folder import DataFolder
from lambda_embedded.jobs.controller import JobController
from lambda_embedded.jobs.kubelet import Kubelet
from lambda_embedded.jobs.machine_environment import machine_environment
from lambda_embedded.languages import languages_setting, read_languages
from lambda_embedded.listeners import bind, port_of, url_of
from lambda_embedded.processes.runtimes import RuntimePreparation
from lambda_embedded.schemas.known import DEFINITION_PATH
from lambda_embedded.serving.composition import Serving
from lambda_embedded.serving.gateway.server import gateway_runner
from lambda_embedded.serving.launchers.function_launcher import FunctionLauncher
from lambda_embedded.serving.launchers.image_launcher import ImageLauncher
from lambda_embedded.sources.controller import SourceController
from lambda_embedded.store.database import Database
from lambda_embedded.store.objects import Objects
from lambda_sandbox.family import FAMILY, hide_from_others
from lambda_sandbox.isolation import BubblewrapIsolation, choose_isolation
from lambda_sandbox.leftovers import end_leftovers, mark

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType

    from lambda_embedded.platform_options import PlatformOptions
    from lambda_sandbox.isolation import Isolation

__all__ = ["Platform", "PlatformFailedError", "run_until_stopped"]

_PORT_OPTIONS = {"gateway": "--port", "broker": "--broker-port", "api": "--api-port"}
_IMAGE_RUNTIMES = PurePosixPath("/runtimes")


class Platform:
    """All parts, running within `async with`; at its end no process is left.

    Entering returns when the platform is ready: configuration applied, all three servers up, and
    `platform.json` written. After `kill -9` the next start continues with what was accepted.
    """

    def __init__(self, options: PlatformOptions) -> None:
        self.options = options
        self.folder = DataFolder(options.home)
        self.urls: dict[str, str] = {}
        """`gateway`, `broker` and `api`, once ready."""
        self._exits = AsyncExitStack()
        self._background: Background
        self._isolation: Isolation

    async def __aenter__(self) -> Self:
        """Start everything; if a part fails, stop those that had started."""
        try:
            await self._start()
        except BaseException:
            await self._exits.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, in reverse order."""
        await self._exits.aclose()

    async def failure(self) -> None:
        """Wait until a part ends by itself; `PlatformFailedError` says which, and why."""
        await self._background.failure()

    async def _start(self) -> None:
        self.options.check()
        self._languages = read_languages(self.options.runtimes_folder)
        self._background = Background()
        self.folder.create()
        self._exits.enter_context(self.folder.lock())
        self.folder.withdraw()
        await end_leftovers(self.folder.root)
        self._exits.push_async_callback(FAMILY.end_adopted)
        self._isolation = await choose_isolation(
            self.folder.root,
            self.options.environment,
            sandbox=self.options.sandbox,
            progress=self.options.progress,
        )
        sockets = self._bind()
        self._access = self._read_access()
        base_images = await self._prepare_runtimes()
        database = Database(self.folder.database)
        self._exits.callback(database.close)
        objects = Objects(database)
        # Each part stops before those that were started before it, which it may need.
        await self._serve_api(objects, sockets["api"])
        self._apply_configuration(objects, base_images)
        await self._run("garbage collector", GarbageCollector(objects).run())
        await self._serve_lambdas(objects, sockets["gateway"])
        broker = await self._serve_broker(database, objects, sockets["broker"])
        sources = SourceController(
            objects, broker.accept, api_url=self.urls["api"], credentials=self._credentials()
        )
        await self._run("event sources", sources.run())
        await self._run("Job controller", self._job_controller(objects).run())
        self._publish_facts()

    def _bind(self) -> dict[str, socket.socket]:
        requested = {
            "gateway": self.options.port,
            "broker": self.options.broker_port,
            "api": self.options.api_port,
        }
        sockets = bind(requested, self.folder.remembered_ports(), _PORT_OPTIONS)
        for listener in sockets.values():
            self._exits.callback(listener.close)
        self.folder.remember_ports({name: port_of(each) for name, each in sockets.items()})
        self.urls = {
            name: url_of(each, "https" if name == "api" else "http")
            for name, each in sockets.items()
        }
        return sockets

    def _read_access(self) -> Access:
        return Access(
            token=read_or_create_token(self.folder.token, renew=self.options.new_token),
            hosts=frozenset(self.options.allowed_hosts),
            origins=frozenset(self.options.allowed_origins),
        )

    async def _prepare_runtimes(self) -> dict[str, str]:
        preparation = RuntimePreparation(
            runtimes=self.options.runtimes_folder,
            languages=self._languages,
            environments=self.folder.runtimes,
            registry=self.folder.registry,
            # Marked as ours, so that an installer that survives a `kill -9` is found and ended.
            environment={**self.options.environment, **mark(self.folder.root)},
            progress=self.options.progress,
        )
        return await preparation.prepare(every_version=self.options.every_runtime)

    async def _serve_api(self, objects: Objects, listener: socket.socket) -> None:
        certificate = read_or_create_certificate(self.folder.certificate)
        application = create_api(
            objects,
            self.folder.pods,
            access=self._access,
            definition=self.options.installation / DEFINITION_PATH,
        )
        runner = self._runner(application)
        await self._exits.enter_async_context(set_up(runner))
        tls = server_context(self.folder.certificate)
        await self._exits.enter_async_context(listening(runner, listener, tls=tls))
        write_kubeconfig(
            self.folder.kubeconfig,
            self.urls["api"],
            certificate=certificate,
            token_file=self.folder.token,
        )

    def _apply_configuration(self, objects: Objects, base_images: Mapping[str, str]) -> None:
        settings = embedded_settings(
            self.folder,
            base_images,
            self.options.environment,
            languages=languages_setting(self._languages),
        )
        manifests = read_manifests(
            self.options.config_folder,
            config_maps={SETTINGS_CONFIG_MAP: settings},
            secrets={PACKAGE_INDEX_SECRET: package_index_secret(self.options.environment)},
        )
        check_manifests(manifests.wanted)
        apply_manifests(objects, manifests.wanted)

    async def _serve_lambdas(self, objects: Objects, listener: socket.socket) -> None:
        environment = self.options.environment
        serving = Serving(
            objects=objects,
            data_folder=self.folder.root,
            launchers=[
                FunctionLauncher(
                    functions_folder=self.options.installation / "functions",
                    data_folder=self.folder.root,
                ),
                ImageLauncher(
                    data_folder=self.folder.root,
                    search_path=environment.get("PATH", os.defpath),
                ),
            ],
            base_url=self.urls["gateway"],
            host_environment=environment,
            settings=self.options.serving,
            isolation=self._isolation,
        )
        # At the end: no new connections; then lambdas finish their requests; then these are sent.
        runner = await self._exits.enter_async_context(
            set_up(gateway_runner(serving, self._access, head_seconds=self.options.head_seconds))
        )
        await self._run("serving", serving.run())
        await self._background.until(serving.started)
        await self._exits.enter_async_context(listening(runner, listener))

    async def _serve_broker(
        self, database: Database, objects: Objects, listener: socket.socket
    ) -> Broker:
        broker = Broker(
            database,
            objects,
            base_url=self.urls["broker"],
            credentials=self._credentials(),
            settings=self.options.broker,
        )
        # The ingress decompresses bodies itself: aiohttp takes a truncated one for a whole one.
        runner = self._runner(create_server(broker, self._access), decompresses=False)
        await self._exits.enter_async_context(set_up(runner))
        await self._run("Broker", broker.run())
        await self._background.until(broker.started)
        await self._exits.enter_async_context(listening(runner, listener))
        return broker

    def _runner(self, application: web.Application, *, decompresses: bool = True) -> web.AppRunner:
        return web.AppRunner(
            application,
            access_log=None,
            keepalive_timeout=self.options.head_seconds,
            auto_decompress=decompresses,
        )

    def _credentials(self) -> PlatformCredentials:
        return PlatformCredentials(self._access.token, (self.urls["gateway"], self.urls["broker"]))

    def _job_controller(self, objects: Objects) -> JobController:
        installers = [language.installer for language in self._languages]
        kubelet = Kubelet(
            objects=objects,
            builds=self.folder.builds,
            pods=self.folder.pods,
            data_folder=self.folder.root,
            environment=machine_environment(
                self.options.environment, self.folder.cache, installers
            ),
            settings=self.options.jobs,
            image_places={_IMAGE_RUNTIMES: self.options.runtimes_folder},
            opened=(self.folder.storage, *file_places(self.options.environment)),
            installers=installers,
            isolation=self._isolation,
        )
        return JobController(objects, kubelet, self.options.jobs)

    async def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        await self._exits.enter_async_context(self._background.running(name, work))

    def _publish_facts(self) -> None:
        facts = {
            "pid": os.getpid(),
            "startedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "urls": self.urls,
            "sandbox": isinstance(self._isolation, BubblewrapIsolation),
            "kubeconfig": str(self.folder.kubeconfig),
        }
        self._exits.callback(self.folder.withdraw)
        self.folder.publish(facts)


async def run_until_stopped(
    options: PlatformOptions, *, on_ready: Callable[[Platform], None]
) -> None:
    """Run the platform until SIGTERM or SIGINT; `PlatformFailedError` if a part of it dies."""
    hide_from_others()
    FAMILY.adopt()
    _allow_many_connections()
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(_run(options, on_ready))
    stopping = asyncio.Event()

    def stop() -> None:
        # Once: a second Ctrl-C must not interrupt the orderly end.
        if not stopping.is_set():
            stopping.set()
            work.cancel()

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        await asyncio.wait({work})
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
    if not work.cancelled():
        work.result()


def _allow_many_connections() -> None:
    """Raise the limit of open files: a few idle clients must not use it up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(options: PlatformOptions, on_ready: Callable[[Platform], None]) -> None:
    # What a start reads stays in memory. With many lambdas, collecting garbage among it takes half
    # of the start, and later pauses everything for a moment each time.
    gc.disable()
    try:
        async with Platform(options) as platform:
            gc.freeze()
            gc.enable()
            on_ready(platform)
            await platform.failure()
    finally:
        gc.enable()
