"""kn-lambda deploy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.completing import completed_by, function_names, runtimes
from kn_lambda.errors import WrongUsageError
from kn_lambda.option_groups.refreshing import refresh_option
from kn_lambda.option_groups.settings import setting_options
from kn_lambda.option_groups.source import source_options
from kn_lambda.option_groups.waiting import timeout_option, wait_option
from kn_lambda.options import session_command
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.deploying.deploy_request import DeployRequest, Overrides
    from kn_lambda.deploying.settings_change import SettingsChange
    from kn_lambda.session import Session

_EXISTING = click.Path(exists=True, path_type=Path)


@session_command("deploy", outputs=("text", "name", "json"))
@click.argument("paths", type=_EXISTING, nargs=-1, metavar="[PATH]...")
@click.option(
    "-f",
    "--file",
    "manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The LambdaFunction to deploy (default: function.yaml in PATH, if it exists).",
)
@click.option("--name", help="Name of the function.", shell_complete=completed_by(function_names))
@source_options(runtimes)
@setting_options
@click.option(
    "--source",
    metavar="URI",
    help="URI of the source, instead of PATH: in storage, an archive at https://, or"
    " git+https://HOST/REPOSITORY@REF#PATH.",
)
@click.option("--source-sha256", metavar="HEX", help="SHA-256 of the archive at --source.")
@click.option(
    "--source-secret", metavar="NAME", help="Secret that opens --source, in the namespace."
)
@click.option("--image", metavar="REF@DIGEST", help="Image to serve, instead of a build.")
@refresh_option
@wait_option("the function is ready")
@click.option("--watch", is_flag=True, help="Deploy again after every save, until Ctrl-C.")
@click.option("--logs", is_flag=True, help="With --watch: show the log of the function too.")
@timeout_option("10m")
def command(
    session: Session,
    *,
    paths: tuple[Path, ...],
    manifest: Path | None,
    name: str | None,
    overrides: Overrides,
    change: SettingsChange,
    source: str | None,
    source_sha256: str | None,
    source_secret: str | None,
    image: str | None,
    refresh: bool,
    wait: bool,
    watch: bool,
    logs: bool,
    timeout: float,
) -> None:
    """Build the source in each PATH and deploy it.

    PATH is a folder or a file (default: the folder of --file, or the current folder). Options
    override function.yaml; variables and settings that an option set stay so for later
    deployments, until --unset. Several PATHs are deployed at the same time; if one fails, the
    others go on.
    Files that match .funcignore are not deployed, nor are files that usually contain credentials,
    such as .npmrc, .env or *.pem; to deploy such a file, use --include.
    """  # fmt: skip
    from kn_lambda.deploying.deploy_request import make_deploy_request  # noqa: PLC0415 # a quick --help

    overrides = replace(
        overrides,
        name=name,
        change=change,
        source=source,
        source_sha256=source_sha256,
        source_secret=source_secret,
        image=image,
        refresh=refresh,
    )
    if watch or logs:
        _require_watchable(paths, watch=watch, wait=wait)
    if len(paths) > 1:
        from kn_lambda.deploying.several import deploy_several, make_deploy_requests  # noqa: PLC0415

        requests = make_deploy_requests(paths, manifest, overrides)
        deploy_several(session, requests, wait=wait, timeout_seconds=timeout)
        return
    folder = paths[0] if paths else manifest.parent if manifest else Path()
    if watch:
        from kn_lambda.deploying.redeploying import deploy_on_save  # noqa: PLC0415

        deploy_on_save(session, folder, manifest, overrides, timeout_seconds=timeout, with_log=logs)
        return
    request = make_deploy_request(folder, manifest, overrides)
    deploy(session, request, wait=wait, timeout_seconds=timeout)


def _require_watchable(paths: Sequence[Path], *, watch: bool, wait: bool) -> None:
    if not watch:
        raise WrongUsageError("--logs is for --watch", hint="To see the log: kn-lambda logs NAME")
    if not wait:
        raise WrongUsageError(
            "--watch waits for each deployment, --no-wait for none", hint="Use only one of them."
        )
    if len(paths) > 1:
        raise WrongUsageError(
            f"--watch is for one PATH, not for {len(paths)}",
            hint="Watch each of them in a terminal of its own.",
        )


def deploy(session: Session, request: DeployRequest, *, wait: bool, timeout_seconds: float) -> None:
    """Send a request and report the outcome."""
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415
    from kn_lambda.deploying.reporting import await_outcome, report, report_accepted  # noqa: PLC0415

    session = session.within(request.namespace)
    progress = Progress()
    deployer = Deployer(
        installation=session.installation,
        function=session.function(request.name),
        progress=progress,
    )
    with progress:
        event = deployer.send(request)
        session.debug(f"event {event.attributes['id']} to {session.installation.name}")
        result = await_outcome(deployer, event, timeout_seconds if wait else None)
    if result is None:
        report_accepted(session, deployer, event)
    else:
        report(session, deployer, result, progress.seconds, request.files)
