"""What can go wrong, told apart by whom it is for."""

from __future__ import annotations


class StartupError(Exception):
    """The function cannot be served at all; the process ends before it listens."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(f"{reason}: {message}")


class RefusedRequestError(Exception):
    """The request gets this answer instead of the handler's; safe to show to the caller."""

    def __init__(self, status: int, reason: str, message: str, field: str | None = None) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.field = field
        super().__init__(message)


class InvalidReplyError(Exception):
    """The handler returned what cannot be sent."""


class HandlerTimeoutError(Exception):
    """The handler did not finish in time."""


class HandlerExitError(Exception):
    """The handler tried to end the process."""
