"""kn-lambda demo."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from kn_lambda.errors import CommandError
from kn_lambda.languages import default_language
from kn_lambda.linux import require_linux
from kn_lambda.options import session_command
from kn_lambda.session import Session
from kn_lambda.terminal.output import echo
from kn_lambda.terminal.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

_DEPLOY_SECONDS = 300.0
_INVOKE_SECONDS = 60.0


@session_command("demo")
def command(session: Session) -> None:
    """Deploy and call an example on a temporary platform.

    The last line on stdout is the response of the function. Nothing is left behind.
    """
    from kn_lambda.local_platform.temporary import temporary_platform  # noqa: PLC0415
    from kn_lambda.templates import copy_template  # noqa: PLC0415 # quick --help

    require_linux("kn-lambda demo")
    progress = Progress()
    with progress, ExitStack() as stopped:
        progress.step("starting a platform in a temporary folder")
        home = stopped.enter_context(temporary_platform())
        progress.step("the platform is up")
        source = home.parent / "hello"
        copy_template(source, source.name, default_language())
        own = Session(
            requested_namespace=None,
            target=replace(session.target, context=None, kubeconfig=None, home=home),
            output="text",
            verbose=session.verbose,
        )
        response = _deploy_and_invoke(own, source, progress)
        progress.step("stopping")
    progress.step("stopped; no processes or files are left")
    echo(response)


def _deploy_and_invoke(session: Session, source: Path, progress: Progress) -> str:
    from kn_lambda.cluster.rejection import read_rejection  # noqa: PLC0415
    from kn_lambda.deploying.deploy_request import Overrides, make_deploy_request  # noqa: PLC0415
    from kn_lambda.deploying.deployer import Deployer  # noqa: PLC0415
    from kn_lambda.deploying.reporting import require_ready  # noqa: PLC0415
    from kn_lambda.invoking.input import read_event  # noqa: PLC0415
    from knative_lambda.inbound.http_binding import to_http  # noqa: PLC0415

    request = make_deploy_request(source, None, Overrides())
    deployer = Deployer(
        installation=session.installation,
        function=session.function(request.name),
        progress=progress,
    )
    record = require_ready(deployer, deployer.watch(deployer.send(request), _DEPLOY_SECONDS))
    progress.step(f"ready: {record['status']['url']}")
    headers, body = to_http(read_event(source / "event.json", None, None))
    response = session.installation.http.request(
        "POST",
        record["status"]["url"],
        headers=headers,
        body=body,
        timeout_seconds=_INVOKE_SECONDS,
    )
    if not response.is_success:
        raise CommandError(
            f"the function returned {response.status}: {read_rejection(response)}",
            hint="Run `kn-lambda doctor` to check what functions need on this machine.",
        )
    progress.step("the function responded")
    return response.body.decode()
