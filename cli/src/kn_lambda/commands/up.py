"""kn-lambda up."""

from __future__ import annotations

import logging
import os
import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.cluster.running import in_use_hint
from kn_lambda.errors import CommandError, WrongUsageError
from kn_lambda.invoking.command_lines import target_flags
from kn_lambda.linux import require_linux
from kn_lambda.option_groups.access import access_options
from kn_lambda.options import session_command
from kn_lambda.program import program
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.log_records import stderr_handler
from kn_lambda.terminal.output import Styled, echo
from kn_lambda.terminal.progress import Progress
from lambda_embedded.installation import INSTALLATION

if TYPE_CHECKING:
    from kn_lambda.session import Session
    from lambda_embedded.platform import Platform
    from lambda_embedded.platform_options import PlatformOptions

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PORT = click.IntRange(0, 65535)


@session_command("up")
@click.option(
    "--port",
    type=_PORT,
    default=8080,
    help="Port of the functions (default 8080; 0 selects a free port).",
)
@click.option("--broker-port", type=_PORT, default=8081, help="Port of the Broker (default 8081).")
@click.option(
    "--api-port", type=_PORT, default=8082, help="Port of the Kubernetes API (default 8082)."
)
@click.option(
    "--deploy",
    "source",
    type=click.Path(exists=True, path_type=Path),
    help="Folder or file to deploy when the platform is ready.",
)
@click.option(
    "--config",
    type=_FOLDER,
    help="Folder of the kustomization to run (default: config/overlays/dev of --installation).",
)
@click.option(
    "--installation",
    type=_FOLDER,
    help="Checkout of Knative Lambda to run (default: the one inside kn-lambda).",
)
@click.option("--every-runtime", is_flag=True, help="Offer every version on PATH as a runtime.")
@access_options
@click.option("--new-token", is_flag=True, help="Create a new token; the old one becomes invalid.")
@click.option(
    "--no-sandbox",
    is_flag=True,
    help="Give builds and functions access to all your files.",
)
@click.option(
    "-d", "--detach", is_flag=True, help="Start in the background, and return when it is ready."
)
def command(
    session: Session,
    *,
    port: int,
    broker_port: int,
    api_port: int,
    source: Path | None,
    config: Path | None,
    installation: Path | None,
    every_runtime: bool,
    hosts: list[str],
    origins: list[str],
    new_token: bool,
    no_sandbox: bool,
    detach: bool,
) -> None:
    """Run the embedded platform in the foreground, until Ctrl-C.

    With --detach, it runs until `kn-lambda down`.
    """  # fmt: skip
    from lambda_embedded.platform_options import PlatformOptions  # noqa: PLC0415 # quick --help

    require_linux("kn-lambda up")
    if session.target.context is not None:
        raise WrongUsageError(
            "--context is for clusters, but up starts a platform on this machine",
            hint="Omit --context.",
        )
    progress = Progress()
    if detach:
        _detach(session, progress, source)
        return
    options = PlatformOptions(
        home=session.target.home,
        # The platform gets its environment from here, and does not read it itself.
        environment=dict(os.environ),  # noqa: TID251
        port=port,
        broker_port=broker_port,
        api_port=api_port,
        installation=installation or INSTALLATION,
        config=config,
        every_runtime=every_runtime,
        allowed_hosts=hosts,
        allowed_origins=origins,
        new_token=new_token,
        sandbox=not no_sandbox,
        progress=progress.step,
    )
    progress.step(f"starting the platform in {options.home}")
    _run(session, options, progress, source)
    progress.step("stopped")


def _detach(session: Session, progress: Progress, source: Path | None) -> None:
    from kn_lambda.local_platform.detached import start_detached  # noqa: PLC0415
    from kn_lambda.option_groups.given import given_options  # noqa: PLC0415

    ours = {"detach", "source", "home", "namespace", "output"}
    arguments = given_options(click.get_current_context(), without=ours)
    start_detached(session, arguments, progress)
    if source is not None:
        _deploy(session, source)


def _run(
    session: Session, options: PlatformOptions, progress: Progress, source: Path | None
) -> None:
    import asyncio  # noqa: PLC0415 # slow; --help imports every command

    from lambda_embedded.background import PlatformFailedError  # noqa: PLC0415
    from lambda_embedded.configuration.manifests import KustomizationError  # noqa: PLC0415
    from lambda_embedded.data_folder import DataFolderError, DataFolderInUseError  # noqa: PLC0415
    from lambda_embedded.languages import InvalidRuntimesError  # noqa: PLC0415
    from lambda_embedded.listeners import PortTakenError  # noqa: PLC0415
    from lambda_embedded.platform import run_until_stopped  # noqa: PLC0415
    from lambda_embedded.platform_options import InstallationError  # noqa: PLC0415
    from lambda_embedded.processes.interpreter_environments import RuntimePreparationError  # noqa: PLC0415

    def ready(platform: Platform) -> None:
        _greet(session, platform, progress)
        if source is not None:
            # The platform runs in this thread and must respond to the deployment.
            threading.Thread(target=_deploy, args=(session, source), daemon=True).start()

    logging.basicConfig(handlers=[stderr_handler()], level=logging.WARNING)
    try:
        asyncio.run(run_until_stopped(options, on_ready=ready))
    except RuntimePreparationError as error:
        raise CommandError(
            str(error), hint="Run `kn-lambda doctor` to check what the languages need."
        ) from error
    except DataFolderInUseError as error:
        raise CommandError(str(error), hint=in_use_hint(options.home)) from error
    except (
        DataFolderError,
        InstallationError,
        InvalidRuntimesError,
        KustomizationError,
        PlatformFailedError,
        PortTakenError,
    ) as error:
        raise CommandError(str(error)) from error


def _greet(session: Session, platform: Platform, progress: Progress) -> None:
    progress.step(Styled("ready", fg="green", bold=True))
    if session.output == "json":
        home = str(platform.options.home)
        print_document({"home": home, "urls": platform.urls, "pid": os.getpid()}, "json")
        return
    name, folder = program(), platform.folder
    deploy = shlex.join([name, "deploy", *target_flags(session, "default")])
    echo(
        f"""
  functions   {platform.urls["gateway"]}/<namespace>/<name>
  Broker      {platform.urls["broker"]}/default/default  (requires the token in {folder.token})
  Kubernetes  {platform.urls["api"]}  (KUBECONFIG={folder.kubeconfig})

In another terminal: {shlex.quote(name)} init hello && {deploy} hello
Ctrl-C stops the platform. Deployed functions are available again after the next start.
""",
        err=True,
    )


def _deploy(session: Session, source: Path) -> None:
    from kn_lambda.commands.deploy import deploy  # noqa: PLC0415
    from kn_lambda.deploying.deploy_request import Overrides, make_deploy_request  # noqa: PLC0415
    from kn_lambda.errors import as_command_error  # noqa: PLC0415

    try:
        request = make_deploy_request(source, None, Overrides())
        deploy(session, request, wait=True, timeout_seconds=600)
    except click.ClickException as error:
        error.show()
    except Exception as error:  # noqa: BLE001 # the platform must go on; nothing catches errors of a thread
        as_command_error(error).show()
