"""Why a build failed, and whether building again can help."""

from __future__ import annotations

from typing import ClassVar


class BuildError(Exception):
    """A failure with a CamelCase reason for programs and a message for a person."""

    exit_code: ClassVar[int]

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class UserError(BuildError):
    """The mistake is in what was sent; the same build fails the same way."""

    exit_code = 1


class PlatformError(BuildError):
    """The platform is in trouble (`EX_TEMPFAIL`); the same build may pass later."""

    exit_code = 75


class Terminated(BaseException):
    """SIGTERM or SIGINT arrived."""
