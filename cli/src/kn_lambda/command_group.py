"""A command of commands, one module each, which is imported when it is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, ClassVar

import click
from click.exceptions import NoSuchCommand

from kn_lambda.options import reject_empty_options
from kn_lambda.overriding import override
from kn_lambda.terminal.help import HelpContext

if TYPE_CHECKING:
    from collections.abc import Mapping


class CommandGroup(click.Group):
    """Knows of each command its name and what `--help` says of it."""

    context_class = HelpContext
    package: ClassVar[str]
    """Where the modules are; each has its `command`."""
    summaries: ClassVar[Mapping[str, str]]
    """By name, in the order in which people need them."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which people need them."""
        return list(self.summaries)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.summaries:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest a similar one."""
        if args and args[0] not in self.summaries and not args[0].startswith("-"):
            raise NoSuchCommand(args[0], possibilities=self.summaries, ctx=ctx)
        return super().resolve_command(ctx, args)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command."""
        reject_empty_options(self, ctx, args)
        return super().parse_args(ctx, args)
