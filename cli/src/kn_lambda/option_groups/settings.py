"""The options for the settings of a function, which `deploy` and `set` share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from kn_lambda.completing import completed_by, settings
from kn_lambda.option_groups.variables import variable_options
from kn_lambda.options import Duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kn_lambda.session import Session

_SETTINGS: tuple[tuple[str, click.ParamType[Any] | type, str, str], ...] = (
    ("memory", str, "QUANTITY", "Memory that an instance may use, such as 512Mi."),
    ("cpu", str, "QUANTITY", "CPU that an instance may use, such as 500m or 2."),
    ("memory-request", str, "QUANTITY", "Memory that is reserved for an instance."),
    ("cpu-request", str, "QUANTITY", "CPU that is reserved for an instance."),
    ("scale-min", int, "NUMBER", "Instances that always run."),
    ("scale-max", int, "NUMBER", "Instances that run at most."),
    ("scale-target", int, "NUMBER", "Concurrent requests per instance that scaling aims at."),
    ("concurrency", int, "NUMBER", "Concurrent requests that an instance gets at most."),
    ("burst-capacity", int, "NUMBER", "Sudden requests to buffer; 0: never, -1: always."),
    ("request-timeout", Duration(), "DURATION", "Time for one request, such as 30s."),
)


def setting_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets what they say as `change`."""

    @functools.wraps(function)
    def run(
        session: Session,
        *,
        env: tuple[str, ...],
        env_file: tuple[Path, ...],
        env_value_from: tuple[str, ...],
        unset: tuple[str, ...],
        **others: object,
    ) -> None:
        from kn_lambda.deploying.settings_change import read_change  # noqa: PLC0415 # a quick --help

        settings = {name: others.pop(name.replace("-", "_")) for name, *_ in _SETTINGS}
        if isinstance(seconds := settings["request-timeout"], float) and seconds.is_integer():
            settings["request-timeout"] = int(seconds)
        change = read_change(
            env=env,
            env_files=env_file,
            env_values_from=env_value_from,
            unset=unset,
            settings=settings,
        )
        function(session, change=change, **others)

    for option in reversed(_options()):
        run = option(run)
    return run


def _options() -> list[Callable[[Callable[..., None]], Callable[..., None]]]:
    return [
        variable_options,
        click.option(
            "--env-value-from", multiple=True, metavar="NAME=secret:SECRET:KEY",
            help="Variable to read from a Secret or a config-map; may be repeated.",
        ),
        click.option(
            "--unset", multiple=True, metavar="NAME", shell_complete=completed_by(settings),
            help="Variable or setting that the command line no longer sets; may be repeated.",
        ),
        *(
            click.option(f"--{name}", type=type_, metavar=metavar, help=help_)
            for name, type_, metavar, help_ in _SETTINGS
        ),
    ]  # fmt: skip
