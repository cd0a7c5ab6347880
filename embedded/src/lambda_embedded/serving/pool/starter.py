"""Starts the process of a revision and waits until it passes its readiness probe."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import aiohttp

from lambda_embedded.processes.environment import (
    UnresolvedEnvironmentError,
    expand,
    inherited_environment,
    resolve_environment,
)
from lambda_embedded.processes.programs import places_named_by, places_of_network
from lambda_embedded.serving.launchers.launcher import Command, LaunchError, first_container
from lambda_embedded.serving.ownership import SERVICE_LABEL
from lambda_embedded.serving.pool.lambda_process import LambdaProcess, describe_end
from lambda_embedded.serving.pool.port_owner import free_port, is_taken_by_others
from lambda_sandbox.children import start_process
from lambda_sandbox.isolation import View
from lambda_sandbox.log_file import RotatingLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_embedded.serving.launchers.launcher import Launcher
    from lambda_embedded.serving.pool.pod import LambdaPod
    from lambda_embedded.serving.settings import ServingSettings
    from lambda_embedded.serving.template import ServingRules
    from lambda_embedded.store.objects import KubernetesObject, Objects
    from lambda_sandbox.children import ChildProcess
    from lambda_sandbox.isolation import Isolation

_ADDRESS_IN_USE = re.compile(r"address already in use|EADDRINUSE|Connection in use", re.IGNORECASE)
_PORT_TRIES = 5
_LOOPBACK = "127.0.0.1"
_PROBE_SECONDS = 0.01
_SLOW_PROBE_SECONDS = 0.1
_PROBES_BEFORE_SLOW = 200
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class StartError(Exception):
    """A process did not become ready; the message says why, with its last output."""

    def __init__(self, message: str, returncode: int | None = None) -> None:
        super().__init__(message)
        self.returncode = returncode


class PortTakenError(StartError):
    """Another process listens on the port of the one that was started."""


class Starter:
    """Starts processes for all revisions; no two that are starting share a port."""

    def __init__(
        self,
        *,
        objects: Objects,
        data_folder: Path,
        launchers: Sequence[Launcher],
        host_environment: Mapping[str, str],
        session: aiohttp.ClientSession,
        settings: ServingSettings,
        isolation: Isolation,
    ) -> None:
        self._objects = objects
        self._data_folder = data_folder
        self._launchers = launchers
        self._session = session
        self._settings = settings
        self._isolation = isolation
        self._base = inherited_environment(host_environment)
        self._ports: set[int] = set()

    async def start(
        self, revision: KubernetesObject, rules: ServingRules, pod: LambdaPod
    ) -> LambdaProcess:
        """Return a process that is ready for requests, or `StartError`."""
        try:
            command = await self._prepare(revision)
            environment = self._environment(revision, command, pod)
        except (LaunchError, UnresolvedEnvironmentError, OSError) as error:
            raise StartError(str(error)) from error
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # Nothing has validated the template before.
            raise StartError(f"spec.template is not well-formed: {error!r}") from error
        for attempt in range(_PORT_TRIES):
            try:
                return await self._start_at_free_port(command, environment, rules, pod)
            except StartError as error:
                if not _lost_race(error) or attempt == _PORT_TRIES - 1:
                    raise
        raise AssertionError

    async def _prepare(self, revision: KubernetesObject) -> Command:
        metadata = revision["metadata"]
        template = {"metadata": metadata, "spec": revision["spec"]}
        for launcher in self._launchers:
            if launcher.accepts(template):
                name = metadata["labels"][SERVICE_LABEL]
                return await launcher.prepare(metadata["namespace"], name, template)
        image = first_container(template).get("image", "")
        raise LaunchError(f"the embedded platform cannot run the image {image!r}")

    def _environment(
        self, revision: KubernetesObject, command: Command, pod: LambdaPod
    ) -> dict[str, str]:
        metadata = revision["metadata"]
        service = metadata["labels"][SERVICE_LABEL]
        fields = {
            "metadata.name": pod.name,
            "metadata.namespace": metadata["namespace"],
            "status.podIP": _LOOPBACK,
            "spec.nodeName": "embedded",
        }
        own = resolve_environment(
            self._objects, metadata["namespace"], first_container(revision), fields=fields
        )
        home, temporary = pod.make_home()
        return {
            **self._base,
            **command.image_environment,
            **own,
            **command.environment,
            # Whoever reaches this machine over the network reaches the gateway or nothing.
            "HOST": _LOOPBACK,
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "K_SERVICE": service,
            "K_CONFIGURATION": service,
            "K_REVISION": metadata["name"],
        }

    async def _start_at_free_port(
        self, command: Command, environment: dict[str, str], rules: ServingRules, pod: LambdaPod
    ) -> LambdaProcess:
        port = self._free_port()
        try:
            variables = {**environment, "PORT": str(port)}
            try:
                child = await start_process(
                    [expand(argument, variables) for argument in command.arguments],
                    environment=variables,
                    working_directory=command.working_directory,
                    log=RotatingLog(pod.log_file, limit_bytes=self._settings.log_limit_bytes),
                    data_folder=self._data_folder,
                    isolation=None if command.view is None else self._isolation,
                    view=self._view(command, pod),
                )
            except (OSError, ValueError) as error:
                raise StartError(f"the process cannot be started: {error}") from error
            try:
                # Written while the child boots, so that a start does not wait for the disk.
                pod.started()
                await self._wait_until_ready(child, port, rules)
            except BaseException:
                child.kill()
                await asyncio.shield(child.wait())
                raise
            return LambdaProcess(
                child, port, pod, command.request_headers, takes_token=command.takes_token
            )
        finally:
            self._ports.discard(port)

    def _view(self, command: Command, pod: LambdaPod) -> View | None:
        if command.view is None:
            return None
        machine = (*places_named_by(self._base), *places_of_network())
        return View(readable=(*command.view.readable, *machine), writable=pod.make_home())

    async def _wait_until_ready(self, child: ChildProcess, port: int, rules: ServingRules) -> None:
        ended = asyncio.ensure_future(child.wait())
        probes = 0
        try:
            async with asyncio.timeout(rules.progress_deadline_seconds):
                while not await self._is_ready(port, rules.probe_path) or ended.done():
                    probes += 1
                    slow = probes > _PROBES_BEFORE_SLOW
                    pause = _SLOW_PROBE_SECONDS if slow else _PROBE_SECONDS
                    await asyncio.wait({ended}, timeout=pause)
                    if ended.done():
                        raise StartError(describe_end(child), child.returncode)
        except TimeoutError:
            wanted = f"GET {rules.probe_path}" if rules.probe_path else "connecting to its PORT"
            message = f"not ready after {rules.progress_deadline_seconds:g} s ({wanted} failed)"
            raise StartError(f"{message}: {child.stderr_tail}") from None
        finally:
            ended.cancel()
        if is_taken_by_others(port, child.pid):
            raise PortTakenError(f"another program took port {port}")

    async def _is_ready(self, port: int, path: str | None) -> bool:
        try:
            if path is None:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            url = f"http://127.0.0.1:{port}{path}"
            async with self._session.get(
                url, timeout=_PROBE_TIMEOUT, allow_redirects=False
            ) as response:
                return response.ok
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False

    def _free_port(self) -> int:
        while True:
            port = free_port()
            if port not in self._ports:
                self._ports.add(port)
                return port


def _lost_race(error: StartError) -> bool:
    """Return whether another program has taken the port."""
    if isinstance(error, PortTakenError):
        return True
    return bool(error.returncode and _ADDRESS_IN_USE.search(str(error)))
