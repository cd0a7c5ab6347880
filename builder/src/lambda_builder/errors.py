"""Why a build failed, and whether building again can help."""

from __future__ import annotations

from typing import ClassVar

from lambda_oci.errors import ContentError, OciError, SetupError


class BuildError(Exception):
    """A failure with a CamelCase reason for programs and a message for a person."""

    exit_code: ClassVar[int]

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class UserError(BuildError):
    """The mistake is in the source; the same build fails the same way."""

    exit_code = 1


class PlatformError(BuildError):
    """The platform is in trouble (`EX_TEMPFAIL`); the same build may succeed later."""

    exit_code = 75


class Terminated(BaseException):
    """SIGTERM or SIGINT arrived."""


def build_error(error: OciError) -> BuildError:
    """What a failure with an archive, an image or a registry means to a build."""
    if isinstance(error, ContentError):
        return UserError(error.reason, error.message)
    hint = "; check the registry credentials (DOCKER_CONFIG)"
    message = f"{error.message}{hint}" if isinstance(error, SetupError) else error.message
    return PlatformError(error.reason, message)
