"""kn-lambda: the command line. A command is imported when it is called."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click
from click.exceptions import Abort, Exit

from kn_lambda import __version__
from kn_lambda.command_group import CommandGroup
from kn_lambda.options import VERBOSE, shared_options
from kn_lambda.overriding import override
from kn_lambda.shell_completion import answer, is_asked
from kn_lambda.terminal.output import echo, printable

_COMMANDS = {
    "up": "Run the embedded platform in the foreground, until Ctrl-C.",
    "init": "Create a function with a test, in the folder NAME.",
    "run": "Run one function without a platform, until Ctrl-C.",
    "deploy": "Build the source in each PATH and deploy it.",
    "rebuild": "Build deployed functions again, on new base images.",
    "builds": "List builds that wait or run.",
    "cancel": "End the build of a function, whether it waits or runs.",
    "set": "Change variables and settings of a deployed function.",
    "list": "List functions.",
    "describe": "Show details of a function.",
    "invoke": "Call a function and print the data of its response.",
    "send": "Send an event to the Broker of the namespace.",
    "logs": "Print the log of a function.",
    "events": "Show events and their deliveries, newest last.",
    "delete": "Delete functions and everything that they own.",
    "tenant": "Let a namespace hold functions, and say who may deploy there.",
    "doctor": "Check this machine and the platform, and suggest fixes.",
    "status": "Show whether the platform runs, where, and what runs on it.",
    "down": "Stop the embedded platform, wherever it was started.",
    "uninstall": "Remove the data of the embedded platform.",
    "completion": "Print the script that makes a shell complete command lines.",
    "version": "Print the version of kn-lambda.",
    "demo": "Deploy and call an example on a temporary platform.",
}
"""Their names, and what `--help` says of each: importing all commands takes longer than that."""
_INTERRUPTED = 130


class Commands(CommandGroup):
    """The commands by name, one module each in `kn_lambda.commands`."""

    package = "kn_lambda.commands"
    summaries = _COMMANDS

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every error becomes two lines and an exit code."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Abort):
            # As shells count it. Who pressed Ctrl-C needs no message.
            raise Exit(_INTERRUPTED) from None
        except click.ClickException as error:
            # click's own errors quote the arguments, and click prints them itself.
            error.message = printable(error.message, err=True)  # type: ignore[misc] # for subclasses
            raise
        except (Exit, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.meta.get(VERBOSE):
                import traceback  # noqa: PLC0415 # slow

                echo(traceback.format_exc(), err=True)
            from kn_lambda.errors import as_command_error  # noqa: PLC0415 # only when needed

            raise as_command_error(error) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s", help="Print the version.")
@click.pass_context
def cli(context: click.Context, /, **given: object) -> None:
    """Deploy functions from source code, on this machine or on Knative.

    To begin, run `kn-lambda up`. Then run `kn-lambda init hello` and
    `kn-lambda deploy hello` in another terminal.

    A command uses the context of --context, from $KUBECONFIG or
    ~/.kube/config. Without --context, it uses the embedded platform in --home
    or $KN_LAMBDA_HOME, if that was ever started; otherwise the current context
    of $KUBECONFIG.

    Exit codes: 0 success, 1 failure, 2 wrong usage, 3 platform unreachable,
    4 not found, 5 timeout, 130 Ctrl-C.
    """
    defaults = {name: value for name, value in given.items() if value not in {None, False}}
    # As with kubectl, an option may stand before or after the command.
    context.default_map = dict.fromkeys(_COMMANDS, defaults)


cli.params.extend(shared_options(with_environment=True))


def main() -> NoReturn:
    """Run the command of this process's arguments."""
    if is_asked():
        answer(cli)
    cli.main(prog_name="kn-lambda")
    sys.exit(0)
