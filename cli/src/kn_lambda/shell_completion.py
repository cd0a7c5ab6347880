"""Answers a shell that completes a command line, and prints the script that makes it ask.

Both are click's. Here an answer never takes long, and never is an error or a traceback: it would be
printed into the line that a person is writing.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, NoReturn

from kn_lambda.terminal.output import echo

if TYPE_CHECKING:
    import click

SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "kn-lambda"
_VARIABLE = "_KN_LAMBDA_COMPLETE"
_SECONDS = 1.0


def completion_script(cli: click.Command, shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    from click.shell_completion import ShellComplete, get_completion_class  # noqa: PLC0415

    found = get_completion_class(shell)
    if found is None:
        raise ValueError(f"no completion for {shell}")
    # click's own for bash also runs bash, to print a warning if it is older than 4.4.
    return ShellComplete.source(found(cli, {}, _PROGRAM, _VARIABLE))


def is_asked() -> bool:
    """Whether a shell started this process to complete a command line."""
    return _VARIABLE in os.environ  # noqa: TID251 # set by the script


def answer(cli: click.Command) -> NoReturn:
    """Print what fits and end the process; nothing if the platform takes too long."""
    instruction = os.environ[_VARIABLE]  # noqa: TID251 # as above
    _silence_stderr()
    found: list[str] = []
    # A thread, because nothing else interrupts a name server or a plugin that hangs.
    asking = threading.Thread(target=_complete, args=(cli, instruction, found), daemon=True)
    asking.start()
    asking.join(_SECONDS)
    with contextlib.suppress(OSError):
        echo("".join(found), nl=False)
    os._exit(0)


def _complete(cli: click.Command, instruction: str, found: list[str]) -> None:
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    completion_class = get_completion_class(instruction.partition("_")[0])
    # Whatever goes wrong, the shell has nothing to offer then.
    with contextlib.suppress(Exception, SystemExit):
        if completion_class is not None:
            found.append(completion_class(cli, {}, _PROGRAM, _VARIABLE).complete() + "\n")


def _silence_stderr() -> None:
    """Also that of plugins of a kubeconfig, which are processes of their own."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
