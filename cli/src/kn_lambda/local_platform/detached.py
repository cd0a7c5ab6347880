"""`kn-lambda up --detach`: the platform in the background, until `kn-lambda down`."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from kn_lambda.cluster.running import command_for, in_use_hint, platform_info
from kn_lambda.errors import CommandError
from kn_lambda.local_platform.background import await_ready, start_platform
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo
from lambda_embedded.data_folder import DataFolder, DataFolderError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from kn_lambda.session import Session
    from kn_lambda.terminal.progress import Progress

LOG = "platform.log"
"""What the platform printed since it was started in the background, in the data folder."""


def start_detached(session: Session, arguments: Sequence[str], progress: Progress) -> None:
    """Start the platform with these options of `up`, and return when it is ready."""
    home = session.target.home
    folder, log = DataFolder(home), home / LOG
    try:
        # The log needs a folder that others can neither read nor have prepared.
        folder.create()
    except DataFolderError as error:
        raise CommandError(str(error)) from error
    if folder.is_locked():
        raise CommandError(f"a platform already runs on {home}", hint=in_use_hint(home))
    progress.step(f"starting the platform in {home}")
    child = start_platform(home, log, arguments)
    with _ended_unless_ready(child):
        await_ready(child, home, log)
    urls = platform_info(home).get("urls") or {}
    progress.step(Styled("ready", fg="green", bold=True))
    if session.output == "json":
        document = {"home": str(home), "urls": urls, "pid": child.pid, "log": str(log)}
        print_document(document, "json")
        return
    echo(
        f"The platform runs in the background (pid {child.pid}); its log is {log}\n"
        f"See its state: {command_for('status', home)}\n"
        f"Stop it:       {command_for('down', home)}",
        err=True,
    )


@contextlib.contextmanager
def _ended_unless_ready(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the platform if the block fails or Ctrl-C ends it."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        raise
