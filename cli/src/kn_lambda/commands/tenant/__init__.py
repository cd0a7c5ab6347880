"""kn-lambda tenant: a command of commands, one module each."""

from __future__ import annotations

import importlib
from typing import Any

import click
from click.exceptions import NoSuchCommand

from kn_lambda.options import VERBOSE, reject_empty_options, shared_options
from kn_lambda.overriding import override
from kn_lambda.terminal.help import HelpContext

# Its module `list` is then this module's `list`.
_COMMANDS = {
    "add": "Make NAME a tenant: a namespace that holds functions.",
    "list": "List tenants, what they use, and who may deploy there.",
    "describe": "Show one tenant, and check what it has against its manifests.",
    "remove": "Revoke all rights in a tenant, and take away what made it one.",
}
OUTPUTS = ("text", "wide", "name", "json", "yaml")


class TenantCommands(click.Group):
    """The commands by name."""

    context_class = HelpContext

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which people need them."""
        return [*_COMMANDS]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"kn_lambda.commands.tenant.{cmd_name}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl([*_COMMANDS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest a similar one."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise NoSuchCommand(args[0], possibilities=_COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command."""
        reject_empty_options(self, ctx, args)
        return super().parse_args(ctx, args)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Hand on the options that stand before the command."""
        given = {name: value for name, value in ctx.params.items() if value not in {None, False}}
        ctx.default_map = dict.fromkeys(_COMMANDS, given)
        ctx.params.clear()
        ctx.meta[VERBOSE] = given.get("verbose", False)
        return super().invoke(ctx)


@click.group("tenant", cls=TenantCommands, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Let a namespace hold functions, and say who may deploy there.

    A tenant is a namespace with a Broker, a quota, policies, and the rights of
    the control functions. See docs/SELF_SERVICE.md.
    """


command.params.extend(shared_options(OUTPUTS))
