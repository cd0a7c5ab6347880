"""The option for packages that are kept."""

from __future__ import annotations

import click

refresh_option = click.option(
    "--refresh", is_flag=True, help="Install packages anew, even if those of before still fit."
)
