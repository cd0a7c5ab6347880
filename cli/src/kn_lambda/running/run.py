"""Runs one function until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from kn_lambda.deploying.saves import Watch, saves
from kn_lambda.errors import CommandError
from kn_lambda.running.folder_filter import FolderFilter
from kn_lambda.running.front_door import FrontDoor
from kn_lambda.running.loading import Loader
from kn_lambda.running.packages import Packages
from kn_lambda.running.places import Places, held_by_one
from kn_lambda.running.prepared_runtime import RuntimePreparer
from kn_lambda.running.running_function import RunningFunction
from lambda_embedded.access.access import Access
from lambda_embedded.background import listening, set_up
from lambda_embedded.listeners import PortTakenError, bind
from lambda_embedded.serving.lambda_client import new_session
from lambda_sandbox.isolation import SupervisorIsolation

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.running.running_function import Narrator
    from kn_lambda.terminal.progress import Progress
    from knative_lambda.domain.names import FunctionId
    from lambda_sandbox.isolation import Isolation

_GRACE_SECONDS = 2.0
_PREFERRED_PORT = 8080


class ReportedError(Exception):
    """The function never served; the narrator has said why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """One `kn-lambda run`."""

    path: Path
    home: Path
    port: int | None
    """None: 8080 where it is free, as beside a platform it is not."""
    overrides: Overrides
    variables: Callable[[], Mapping[str, str]]
    """Those of the command line, as `env_files` say them now."""
    env_files: Sequence[Path]
    function: Callable[[DeployRequest], FunctionId]
    machine: Mapping[str, str]
    """This process's environment, of which the function gets little."""
    reloads: bool
    debug_port: int | None
    """None: no debugger; 0: on its usual port."""
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


async def run_until_stopped(
    options: RunOptions,
    *,
    narrator: Callable[[socket.socket], Narrator],
    progress: Progress,
    show: Callable[[str], None],
) -> None:
    """Serve the function until SIGINT or SIGTERM; no process is left, even after `kill -9`.

    `ReportedError` if it cannot be served and no save would help, `CommandError` for the rest.
    """
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(_run(options, narrator, progress, show))
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        # Once: a second Ctrl-C must not interrupt the orderly end.
        loop.add_signal_handler(number, lambda: work.cancelling() or work.cancel())
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await work
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _run(
    options: RunOptions,
    narrator: Callable[[socket.socket], Narrator],
    progress: Progress,
    show: Callable[[str], None],
) -> None:
    places = Places(options.home)
    places.create()
    workspace = places.of_function(options.path)
    access = Access(token=secrets.token_urlsafe(), hosts=options.hosts, origins=options.origins)
    isolation = SupervisorIsolation()
    loader = _loader(options, places, isolation, progress)
    with held_by_one(workspace, options.path), _listener(options.port) as listener:
        async with new_session() as session:
            running = RunningFunction(
                loader=loader,
                workspace=workspace,
                session=session,
                isolation=isolation,
                narrator=narrator(listener),
                show=show,
            )
            runner = FrontDoor(running, session, access).runner()
            async with set_up(runner), listening(runner, listener), _stopped(running):
                await _serve(options, running)


def _loader(
    options: RunOptions, places: Places, isolation: Isolation, progress: Progress
) -> Loader:
    packages = Packages(
        machine=options.machine, caches=places.caches, isolation=isolation, show=progress.log
    )
    return Loader(
        path=options.path,
        workspace=places.of_function(options.path),
        overrides=options.overrides,
        variables=options.variables,
        function=options.function,
        machine=options.machine,
        packages=packages,
        preparer=RuntimePreparer(
            places=places, machine=options.machine, packages=packages, progress=progress.step
        ),
        progress=progress,
        debug_port=options.debug_port,
    )


async def _serve(options: RunOptions, running: RunningFunction) -> None:
    first = running.reload()
    watching = asyncio.ensure_future(_reload_after_saves(options, running))
    try:
        await asyncio.wait({first, watching}, return_when=asyncio.FIRST_COMPLETED)
        # A save while it starts gives it up for another start.
        error = first.exception() if first.done() and not first.cancelled() else None
        # What cannot be read at all is wrong usage; what does not start can be mended and saved.
        if error and (isinstance(error, click.ClickException) or not options.reloads):
            raise ReportedError from error
        await watching
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def _reload_after_saves(options: RunOptions, running: RunningFunction) -> None:
    if not options.reloads:
        await asyncio.Event().wait()
    stopping = threading.Event()
    seen = saves(_watch(options, stopping))
    try:
        while (is_saved := await asyncio.to_thread(next, seen, None)) is not None:
            if is_saved:
                running.reload()
    finally:
        stopping.set()


def _watch(options: RunOptions, stopping: threading.Event) -> Watch:
    source = options.path.resolve()
    folder_filter = FolderFilter(source, options.overrides.include)
    return Watch(
        path=source,
        beside=options.env_files,
        matters=folder_filter if source.is_dir() else str(source).__eq__,
        # A save gives up the start under way, and the first one has just begun.
        sees_earlier=False,
        stopping=stopping,
    )


@contextlib.contextmanager
def _listener(port: int | None) -> Iterator[socket.socket]:
    preferred = _PREFERRED_PORT if port is None else 0
    try:
        (listener,) = bind(
            {"function": port or 0}, {"function": preferred}, {"function": "--port"}
        ).values()
    except PortTakenError as error:
        raise CommandError(str(error)) from error
    with listener:
        yield listener


@contextlib.asynccontextmanager
async def _stopped(running: RunningFunction) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.shield(running.stop(_GRACE_SECONDS))
