"""The log of the platform while it runs in the foreground."""

from __future__ import annotations

import logging

from kn_lambda.overriding import override
from kn_lambda.terminal.output import printable


def stderr_handler() -> logging.Handler:
    """Return a handler that writes to stderr and escapes control characters on a terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("%(levelname)s %(name)s: %(message)s"))
    return handler


class _PrintableFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), err=True)
