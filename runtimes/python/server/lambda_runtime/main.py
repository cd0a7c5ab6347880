"""From the environment to a listening server."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

from lambda_runtime import uvicorn_server
from lambda_runtime.errors import StartupError
from lambda_runtime.settings import HTTP, read_settings
from lambda_runtime.source import enter_source, load_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_runtime.responses import Application
    from lambda_runtime.settings import Settings

# Longer than proxies keep an idle connection, so that they never write into a closed one.
_KEEP_ALIVE_SECONDS = 120


class Server(uvicorn_server.Server):
    """Ends with status 0 after a SIGTERM, where uvicorn would end by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT drain, and nothing more."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self.handle_exit)
        yield


def main() -> None:
    """Serve until SIGTERM; end with status 1 and the reason when there is nothing to serve."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        settings = read_settings()
        application = _load_application(settings)
    except StartupError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    # What is loaded now stays: the collector need not look at it ever.
    gc.freeze()
    gc.enable()
    Server(_configuration(application, settings)).run()


def _load_application(settings: Settings) -> Application:
    enter_source(settings)
    # Without a handler, so that a basicConfig() of the function still has its effect.
    logging.getLogger().setLevel(logging.INFO)
    function = load_function(settings)
    if not logging.getLogger().handlers:
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    if function.signature == HTTP:
        from lambda_runtime.http_application import http_application  # noqa: PLC0415 - start time

        return http_application(function, settings)
    from lambda_runtime.cloudevent_application import cloudevent_application  # noqa: PLC0415

    return cloudevent_application(function, settings)


def _configuration(application: Application, settings: Settings) -> uvicorn_server.Config:
    return uvicorn_server.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        # Only an ASGI application of the user answers to it; anything else counts as unsupported.
        lifespan="auto" if settings.signature == HTTP else "off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.timeout_seconds) + 1,
    )
