"""Shows the log of a function while its source is watched."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kn_lambda.cluster.log_lines import LogOptions
from kn_lambda.cluster.pod_logs import PodLogs
from kn_lambda.errors import CommandError
from kn_lambda.terminal.output import echo
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from kn_lambda.cluster.log_lines import LogLine
    from kn_lambda.session import Session
    from knative_lambda.domain.names import FunctionId

_PAUSE_SECONDS = 1.0


@dataclass
class FollowedLog:
    """Prints new lines of every function that it was told to follow, on stderr.

    It goes on after the platform was restarted, and ends with the process.
    """

    _followed: set[FunctionId] = field(default_factory=set)

    def follow(self, session: Session, function: FunctionId) -> None:
        """Begin with what the function writes from now on; nothing if it is followed already."""
        if function not in self._followed:
            self._followed.add(function)
            threading.Thread(target=_follow, args=(session, function), daemon=True).start()


def _follow(session: Session, function: FunctionId) -> None:
    def show(line: LogLine) -> None:
        # A carriage return at the end is harmless; any other would overwrite the line.
        text = line.text.removesuffix("\r")
        echo(f"{function.name} | {text}", err=True)

    while True:
        with contextlib.suppress(KnativeLambdaError, CommandError):
            # Connects anew: a platform that was restarted may have other ports.
            api = session.connect(session.target).api
            PodLogs(api, function, show).follow(LogOptions(tail=0))
        time.sleep(_PAUSE_SECONDS)
