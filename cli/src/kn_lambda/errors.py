"""How a command ends: exit codes, and errors with a hint how to fix them."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any, ClassVar

import click

from kn_lambda.overriding import override
from kn_lambda.terminal.output import Styled, echo


class ExitCode(IntEnum):
    """What a script can tell from the exit code."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    TIMED_OUT = 5
    INTERRUPTED = 130


class CommandError(click.ClickException):
    """The command failed; `show` prints the message, then the hint."""

    exit_code: ClassVar[int] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @override
    def show(self, file: IO[Any] | None = None) -> None:
        """Write the error to stderr."""
        echo(Styled("Error: ", fg="red", bold=True), self.message, err=True)
        if self.hint:
            echo(self.hint, err=True)


class WrongUsageError(CommandError):
    """The arguments are invalid; nothing was sent."""

    exit_code = ExitCode.USAGE


class UnreachableError(CommandError):
    """The platform does not respond."""

    exit_code = ExitCode.UNREACHABLE


class MissingError(CommandError):
    """No such object exists."""

    exit_code = ExitCode.NOT_FOUND


class TimedOutError(CommandError):
    """The wait is over, but the operation continues."""

    exit_code = ExitCode.TIMED_OUT


def as_command_error(error: Exception) -> click.ClickException:
    """Turn an error of the shared package, or a bug, into an error of the command line."""
    from knative_lambda.adapters.kubernetes.errors import NotFoundError  # noqa: PLC0415 # see main
    from knative_lambda.domain.errors import (  # noqa: PLC0415
        KnativeLambdaError,
        PlatformUnavailableError,
        RetryableError,
    )

    match error:
        case NotFoundError():
            return MissingError(
                error.message, hint="See what is there: kn-lambda list --all-namespaces"
            )
        case PlatformUnavailableError():
            return UnreachableError(error.message, hint="Run `kn-lambda doctor` to find out why.")
        case KnativeLambdaError():
            field = f"{error.field}: " if error.field else ""
            return CommandError(
                f"{error.reason}: {field}{error.message}",
                hint="Try again later."
                if isinstance(error, RetryableError)
                else "`kn-lambda doctor` checks the platform and your rights.",
            )
        case _:
            return CommandError(
                f"bug in kn-lambda: {type(error).__name__}: {error}",
                hint="Run the command again with -v to see the traceback.",
            )
