"""kn-lambda deploy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kn_lambda.errors import WrongUsageError
from kn_lambda.options import Duration, session_command
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from kn_lambda.deploying.deploy_request import DeployRequest
    from kn_lambda.deploying.deployer import Deployer
    from kn_lambda.session import Session

_EXISTING = click.Path(exists=True, path_type=Path)


@session_command("deploy", outputs=("text", "name", "json"))
@click.argument("path", type=_EXISTING, required=False)
@click.option(
    "-f",
    "--file",
    "manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The LambdaFunction to read; function.yaml in PATH where there is one.",
)
@click.option("--name", help="The function's name.")
@click.option("--runtime", help="python, nodejs, or a version such as python3.12.")
@click.option("--handler", help="module.function, such as main.handler.")
@click.option("--signature", type=click.Choice(["cloudevent", "http"]))
@click.option("--env", "-e", multiple=True, metavar="NAME=VALUE", help="May be given many times.")
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Deploy these files all the same; as in .funcignore. May be given many times.",
)
@click.option("--source", metavar="URI", help="Take the source from storage, not from PATH.")
@click.option("--image", metavar="REF@DIGEST", help="Serve a finished image; build nothing.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is ready (the default).")
@click.option("--timeout", type=Duration(), default="10m", help="How long to wait (10m).")
def command(
    session: Session,
    *,
    path: Path | None,
    manifest: Path | None,
    name: str | None,
    runtime: str | None,
    handler: str | None,
    signature: str | None,
    env: tuple[str, ...],
    include: tuple[str, ...],
    source: str | None,
    image: str | None,
    wait: bool,
    timeout: float,
) -> None:
    """Build the source in PATH (a folder or one file) and serve it.

    PATH is the folder of --file, or the current one, when it is not named. What the options say
    goes before what function.yaml says. Files that a .funcignore names stay here, and so do those
    that usually hold credentials, such as .npmrc, .env or *.pem: see --include.
    """  # fmt: skip
    from kn_lambda.deploying.deploy_request import Overrides, make_deploy_request  # noqa: PLC0415 # a quick --help

    overrides = Overrides(
        name=name,
        runtime=runtime,
        handler=handler,
        signature=signature,
        env=env,
        source=source,
        image=image,
        include=include,
    )
    folder = path or (manifest.parent if manifest else Path())
    request = make_deploy_request(folder, manifest, overrides)
    deploy(session, request, wait=wait, timeout_seconds=timeout)


def deploy(session: Session, request: DeployRequest, *, wait: bool, timeout_seconds: float) -> None:
    """Send a request and tell what becomes of it."""
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415
    from kn_lambda.deploying.reporting import report  # noqa: PLC0415

    _use_namespace(session, request)
    progress = Progress()
    deployer = Deployer(
        installation=session.installation,
        function=session.function(request.name),
        progress=progress,
    )
    event = deployer.send(request)
    session.debug(f"event {event.attributes['id']} to {session.installation.name}")
    if not wait:
        deployer.await_acceptance()
        _print_accepted(session, deployer, event.attributes["id"])
        return
    try:
        result = deployer.watch(event, timeout_seconds)
    except KeyboardInterrupt:
        echo(f"\nIt goes on without us: kn-lambda describe {request.name}", err=True)
        raise
    report(session, deployer, result, progress.seconds, request.files)


def _use_namespace(session: Session, request: DeployRequest) -> None:
    if request.namespace and session.requested_namespace not in {None, request.namespace}:
        raise WrongUsageError(
            f"function.yaml names namespace {request.namespace},"
            f" --namespace {session.requested_namespace}",
            hint="Leave one of them out.",
        )
    session.requested_namespace = session.requested_namespace or request.namespace


def _print_accepted(session: Session, deployer: Deployer, event_id: str) -> None:
    function = deployer.function
    if session.output == "json":
        from kn_lambda.terminal.documents import print_document  # noqa: PLC0415

        accepted = {"namespace": function.namespace, "name": function.name}
        print_document({**accepted, "outcome": "accepted", "eventId": event_id}, "json")
    elif session.output == "name":
        echo(f"lambdafunction.knative-lambda.dev/{function.name}")
    else:
        echo(f"{function} is accepted; see kn-lambda describe {function.name}")
