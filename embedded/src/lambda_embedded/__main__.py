"""`python -m lambda_embedded`: runs the platform in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_embedded.access.hosts import parse_allowed_host
from lambda_embedded.access.origins import parse_allowed_origin
from lambda_embedded.background import PlatformFailedError
from lambda_embedded.configuration.manifests import KustomizationError
from lambda_embedded.data_folder import DataFolderError
from lambda_embedded.languages import InvalidRuntimesError
from lambda_embedded.listeners import PortTakenError
from lambda_embedded.platform import run_until_stopped
from lambda_embedded.platform_options import InstallationError, PlatformOptions
from lambda_embedded.processes.interpreter_environments import RuntimePreparationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_embedded.platform import Platform

_ERRORS = (
    DataFolderError,
    InstallationError,
    InvalidRuntimesError,
    KustomizationError,
    PlatformFailedError,
    PortTakenError,
    RuntimePreparationError,
)
_DEFAULT_HOME = Path("~/.local/share/knative-lambda")


def read_options(arguments: list[str] | None = None) -> PlatformOptions:
    """Read the command line; the rest comes from the environment or the defaults."""
    # The one place where the environment is read; all below get it as an argument.
    environment = dict(os.environ)  # noqa: TID251
    parser = argparse.ArgumentParser(
        prog="python -m lambda_embedded", description="Run Knative Lambda on this machine."
    )
    home = environment.get("KN_LAMBDA_HOME") or _DEFAULT_HOME
    parser.add_argument("--home", type=Path, default=home, help="data folder")
    parser.add_argument("--port", type=int, default=8080, help="of the gateway; 0: any free")
    parser.add_argument("--broker-port", type=int, default=8081, help="of the Broker")
    parser.add_argument("--api-port", type=int, default=8082, help="of the Kubernetes API")
    parser.add_argument("--config", type=Path, help="kustomization folder to run")
    parser.add_argument("--installation", type=Path, help="checkout of Knative Lambda")
    parser.add_argument(
        "--allow-host",
        dest="allowed_hosts",
        type=_argument(parse_allowed_host),
        action="append",
        metavar="NAME",
        help="host name to accept as well",
    )
    parser.add_argument(
        "--allow-origin",
        dest="allowed_origins",
        type=_argument(parse_allowed_origin),
        action="append",
        metavar="ORIGIN",
        help="origin whose pages may use the ports",
    )
    parser.add_argument("--new-token", action="store_true", help="replace the folder's token")
    parser.add_argument("--every-runtime", action="store_true", help="every version on PATH")
    parser.add_argument(
        "--no-sandbox", dest="sandbox", action="store_false", help="no bubblewrap for functions"
    )
    chosen = {
        name: value
        for name, value in vars(parser.parse_args(arguments)).items()
        if value is not None
    }
    return PlatformOptions(environment=environment, progress=_say, **chosen)


def _argument(parse: Callable[[str], str]) -> Callable[[str], str]:
    """Keep argparse from replacing the message of a parser."""

    def parsed(text: str) -> str:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; 0 after SIGTERM or SIGINT, 1 with the reason on stderr otherwise."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    options = read_options(arguments)
    try:
        asyncio.run(run_until_stopped(options, on_ready=_say_ready))
    except _ERRORS as error:
        _say(f"error: {error}")
        return 1
    return 0


def _say_ready(platform: Platform) -> None:
    for name, url in platform.urls.items():
        _say(f"{name}: {url}")
    _say("ready")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # a command line's output


if __name__ == "__main__":
    sys.exit(main())
