"""How operations on images, registries and archives fail, and whose mistake it is."""

from __future__ import annotations


class OciError(Exception):
    """A failure with a CamelCase reason for programs and a message for a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ContentError(OciError):
    """The mistake is in what was sent: the same content fails the same way."""


class StoredImageError(OciError):
    """An image that is stored is incomplete, damaged or of an unsupported kind."""


class RejectedError(OciError):
    """The registry calls the request invalid, or would: the same request fails the same way."""


class SetupError(OciError):
    """The registry's credentials are missing, wrong or unreadable; somebody has to set them."""


class UnavailableError(OciError):
    """The registry does not respond, or not as a registry does; the same request may work later."""


class ThrottledError(UnavailableError):
    """The registry asks to slow down."""

    def __init__(self, reason: str, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(reason, message)
        self.retry_after_seconds = retry_after_seconds
