"""Objects on stdout, for programs."""

from __future__ import annotations

import json

import click


def print_document(document: object, output: str) -> None:
    """Print JSON, or YAML where that was asked for; nothing else goes to stdout with it."""
    if output == "yaml":
        import yaml  # noqa: PLC0415 # only when it is asked for

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
