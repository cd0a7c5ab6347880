"""What `kn-lambda run` tells the person at the terminal; scripts wait for its lines."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from kn_lambda.deploying.source_state import changed_text
from kn_lambda.errors import CommandError, as_command_error
from kn_lambda.invoking.command_lines import curl_command, sample_data
from kn_lambda.running.packages import InstallationError
from kn_lambda.running.server_process import StartError
from kn_lambda.terminal.documents import print_document
from kn_lambda.terminal.output import Styled, echo, printable_line
from lambda_embedded.processes.interpreter_environments import RuntimePreparationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kn_lambda.running.debugging import Debugging
    from kn_lambda.running.loading import Loaded
    from kn_lambda.terminal.progress import Progress

_NAMED = (InstallationError, RuntimePreparationError, StartError, OSError)
_TRY_AGAIN = "Mend it and save: it starts again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Narration:
    """Steps and errors on stderr; with JSON, one document on stdout when the function is ready."""

    url: str
    source: Path
    progress: Progress
    as_json: bool
    reloads: bool

    def waits_for_debugger(self, loaded: Loaded) -> None:
        """Say how to attach."""
        if (debugging := loaded.debugging) is None:
            return
        self.progress.step(f"waiting for a debugger on 127.0.0.1:{debugging.port}")
        name = loaded.local.function.name
        echo(
            "\nTo attach VS Code, put this into the configurations of .vscode/launch.json and press"
            f" F5:\n{debugging.configuration(f'Attach to {name}')}\n",
            err=True,
        )

    def is_ready(self, loaded: Loaded) -> None:
        """Print the URL, and a command line that calls it."""
        self.progress.step(Styled("ready", fg="green", bold=True))
        if self.as_json:
            print_document(self._document(loaded), "json")
            return
        record = {
            "metadata": {"name": loaded.local.function.name},
            "spec": loaded.local.spec.to_json(),
            "status": {"url": self.url},
        }
        echo(f"\n  {self.url}\n\nCall it:", err=True)
        echo(f"  {curl_command(record, sample_data(self.source))}", err=True)
        reload = " A saved file is served at once." if self.reloads else ""
        echo(f"\nCtrl-C stops it.{reload}\n", err=True)

    def was_reloaded(self, loaded: Loaded, seconds: float) -> None:
        """Print one line: what was saved, and how long it took."""
        self.progress.step(f"reloaded in {seconds:.2f} s{_named(loaded.changed)}")

    def failed(self, error: Exception) -> None:
        """Print why it does not serve."""
        if isinstance(error, click.ClickException):
            error.show()
        elif isinstance(error, _NAMED):
            told = str(error)
            if isinstance(error, InstallationError):
                # The rest is what the installer has just written.
                told = told.partition("\n")[0]
            CommandError(told, hint=_TRY_AGAIN if self.reloads else "").show()
        else:
            as_command_error(error).show()

    def ended(self, last_words: str) -> None:
        """Print how the process ended."""
        self.progress.step(
            f"the function's process ended: {printable_line(last_words, err=True)}"
            " (the next request starts it again)"
        )

    def _document(self, loaded: Loaded) -> dict[str, object]:
        document: dict[str, object] = {
            "name": loaded.local.function.name,
            "url": self.url,
            "pid": os.getpid(),
            "runtime": loaded.local.spec.runtime,
        }
        return document | _debugger(loaded.debugging)


def _debugger(debugging: Debugging | None) -> dict[str, object]:
    return {} if debugging is None else {"debuggerPort": debugging.port}


def _named(changed: Sequence[str]) -> str:
    return f": {printable_line(changed_text(changed), err=True)}" if changed else ""
