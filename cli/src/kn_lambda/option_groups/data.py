"""The option for the data of an event or a request."""

from __future__ import annotations

import click

data_option = click.option(
    "-d",
    "--data",
    metavar="TEXT|@FILE|-",
    help="Data of the event, as text, from a file, or from stdin (-).",
)
