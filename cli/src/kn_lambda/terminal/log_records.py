"""What the platform logs while it runs in the foreground."""

from __future__ import annotations

import logging

from typing_extensions import override

from kn_lambda.terminal.output import printable


def stderr_handler() -> logging.Handler:
    """Return one that writes to stderr, where a record commands no more than other output does."""
    handler = logging.StreamHandler()
    handler.setFormatter(_ShownFormatter("%(levelname)s %(name)s: %(message)s"))
    return handler


class _ShownFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), err=True)
