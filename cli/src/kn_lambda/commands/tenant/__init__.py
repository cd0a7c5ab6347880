"""kn-lambda tenant: a command of commands, one module each."""

from __future__ import annotations

from typing import Any

import click

from kn_lambda.command_group import CommandGroup
from kn_lambda.options import VERBOSE, shared_options
from kn_lambda.overriding import override

# Its module `list` is then this module's `list`.
_COMMANDS = {
    "add": "Make NAME a tenant: a namespace that holds functions.",
    "list": "List tenants, what they use, and who may deploy there.",
    "describe": "Show one tenant, and check what it has against its manifests.",
    "remove": "Revoke all rights in a tenant, and take away what made it one.",
}
OUTPUTS = ("text", "wide", "name", "json", "yaml")


class TenantCommands(CommandGroup):
    """The commands by name."""

    package = __name__
    summaries = _COMMANDS

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
