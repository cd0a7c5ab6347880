"""The log of the servers in this process while it runs in the foreground."""

from __future__ import annotations

import logging

from kn_lambda.overriding import override
from kn_lambda.terminal.output import printable


def stderr_handler() -> logging.Handler:
    """Return a handler that writes to stderr and escapes control characters on a terminal.

    Requests that are no HTTP are left out: they got their 400, and any stranger can send thousands.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_is_no_stranger)
    handler.setFormatter(_PrintableFormatter("%(levelname)s %(name)s: %(message)s"))
    return handler


def _is_no_stranger(record: logging.LogRecord) -> bool:
    # By name: importing aiohttp takes long.
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"


class _PrintableFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), err=True)
