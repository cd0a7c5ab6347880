"""From the environment to a listening server."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from lambda_runtime import uvicorn_server
from lambda_runtime.errors import StartupError
from lambda_runtime.settings import HTTP, read_settings
from lambda_runtime.source import load_function, not_importable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_runtime.responses import Application
    from lambda_runtime.settings import Settings

# For the last line, which a source that closes or turns away its own shall not take with it.
_STDERR = os.dup(2)
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

    async def startup(self, sockets: Any = None) -> None:
        """As uvicorn's, which would end with a status of its own when it cannot listen."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            if self.lifespan.should_exit:
                message = "the application's start, its ASGI lifespan, failed"
                raise StartupError("SourceNotImportable", message) from None
            raise _cannot_listen(self.config, error.__context__) from None
        except (OSError, OverflowError) as error:
            raise _cannot_listen(self.config, error) from None


def _cannot_listen(config: uvicorn_server.Config, error: BaseException | None) -> StartupError:
    message = f"nothing can listen at HOST {config.host}, PORT {config.port}: {error}"
    return StartupError("InvalidSettings", message)


def main() -> None:
    """Serve until SIGTERM; end with status 1 and the reason when there is nothing to serve."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        _serve(read_settings())
    except StartupError as error:
        _end(error)


def _serve(settings: Settings) -> None:
    server = None
    try:
        application = _load_application(settings)
        # What is loaded now stays: the collector need not look at it ever.
        gc.freeze()
        gc.enable()
        server = Server(_configuration(application, settings))
        server.run()
    except StartupError:
        raise
    except Exception as error:
        if server is not None and server.started:
            raise
        # The server takes some of its modules from the packages of the source, if they are there.
        raise not_importable(f"what serves {settings.handler}", error, settings) from None


def _end(error: StartupError) -> NoReturn:
    """Print the reason as the last line, whatever the source did to the streams."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    lines = f"{error.traceback}\n{error}\n".lstrip("\n")
    with contextlib.suppress(OSError), open(_STDERR, "wb") as stderr:  # noqa: PTH123
        stderr.write(lines.encode(errors="backslashreplace"))
    # Threads of the source would keep the process, and its exit handlers have the last word.
    os._exit(1)


def _load_application(settings: Settings) -> Application:
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
    from lambda_runtime.connection import Connection  # noqa: PLC0415 - after the source's modules

    connection: Any = functools.partial(Connection, timeout_seconds=settings.timeout_seconds)
    return uvicorn_server.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=connection,
        ws="none",
        # Only an ASGI application of the user supports it; anything else counts as unsupported.
        lifespan="auto" if settings.signature == HTTP else "off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.timeout_seconds) + 1,
    )
