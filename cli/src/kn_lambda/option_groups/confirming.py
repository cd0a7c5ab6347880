"""The question before something is removed that nobody can bring back."""

from __future__ import annotations

import sys

import click

from kn_lambda.errors import CommandError, WrongUsageError


def confirm(question: str, *, what: str) -> None:
    """Ask, and return only after a yes; `what` is what an error says would be removed."""
    if not sys.stdin.isatty():
        raise WrongUsageError(
            "nobody is there to ask; nothing was removed", hint=f"To remove {what}, add --yes."
        )
    # On stderr, so that a document on stdout stays one.
    if not click.confirm(question, err=True):
        raise CommandError(
            "nothing was removed", hint=f"To remove {what}, answer with y, or add --yes."
        )
