"""The options of a command as they were given, to start another process with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Collection


def given_options(context: click.Context, without: Collection[str]) -> list[str]:
    """Return the options that are not left at their defaults, but those of these names."""
    words: list[str] = []
    for param in context.command.params:
        name, flag = param.name or "", max(param.opts, key=len)
        source = context.get_parameter_source(name)
        if not isinstance(param, click.Option) or name in without:
            continue
        if source in {None, ParameterSource.DEFAULT}:
            continue
        value = context.params[name]
        if param.is_flag:
            words += [flag] if value else []
        else:
            each = value if param.multiple else [value]
            words += [f"{flag}={one}" for one in each if one is not None]
    return words
