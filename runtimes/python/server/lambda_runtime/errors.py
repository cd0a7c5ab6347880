"""Errors, by who has to read them."""

from __future__ import annotations

# Some libraries put whole documents into their errors.
_MAX_LINE_CHARACTERS = 2000


class StartupError(Exception):
    """The function cannot be served at all; the process ends before it listens.

    Its text is one line, whatever the message contains; a traceback goes before it.
    """

    def __init__(self, reason: str, message: str, *, traceback: str = "") -> None:
        self.reason = reason
        self.traceback = traceback
        self.message = " ".join(message.split())[:_MAX_LINE_CHARACTERS]
        super().__init__(f"{reason}: {self.message}")


class RejectedRequestError(Exception):
    """The response in place of the handler's; safe to show to the caller."""

    def __init__(self, status: int, reason: str, message: str, field: str | None = None) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.field = field
        super().__init__(message)


class InvalidReplyError(Exception):
    """The handler returned what cannot be sent."""


class ResponseClosedError(Exception):
    """Nobody waits for the rest of the response: the caller left, or its time is over."""


class HandlerTimeoutError(Exception):
    """The handler did not finish in time."""


class HandlerExitError(Exception):
    """The handler tried to end the process."""
