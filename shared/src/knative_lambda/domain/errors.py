"""Why something cannot be done, and whether trying again can help.

The class decides the HTTP status of the response and with it what the Broker does next
(`inbound/endpoint.py` holds that table). Messages are read by people and by dead-letter
tooling: they name the field and the remedy, and never contain a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class KnativeLambdaError(Exception):
    """Root of every error that this project raises on purpose."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def reason(self) -> str:
        """CamelCase word for programs: the class name less `Error`."""
        return type(self).__name__.removesuffix("Error")


class InvalidEventError(KnativeLambdaError):
    """No CloudEvent, an event of another type, or data that fails its model."""


class EventTooLargeError(InvalidEventError):
    """The request body is over the limit."""


class UnsupportedEventFormatError(InvalidEventError):
    """A batch, or a structured event in another format than JSON."""


class UnsupportedContentEncodingError(UnsupportedEventFormatError):
    """The body has a content encoding that is not supported."""


class PermanentError(KnativeLambdaError):
    """The same event fails the same way forever."""


class SourceNotFoundError(PermanentError):
    """Nothing is stored at the source URI."""


class UnsupportedSourceError(PermanentError):
    """No storage adapter supports this URI, or sources may not come from there."""


class SourceMismatchError(PermanentError):
    """The bytes of a source are not those that the request names."""


class SourceAccessDeniedError(PermanentError):
    """A source needs a Secret that is not there, not complete, or not accepted."""


class UnsupportedRuntimeError(PermanentError):
    """This installation has no such runtime."""


class LimitExceededError(PermanentError):
    """The input is larger than the installation allows."""


class InvalidContentError(PermanentError):
    """What a person or a build left cannot become an image; `reason` is one of a failed build."""

    def __init__(self, message: str, *, reason: str, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self._reason = reason

    @property
    def reason(self) -> str:
        """As given; the build fails with it."""
        return self._reason


class PackagesMissingError(PermanentError):
    """The packages of an image are not kept; another build installs them again."""


class BaseImageUnknownError(PermanentError):
    """An image is to be made on a base that this installation does not have."""


class RejectedByPlatformError(PermanentError):
    """Kubernetes, the registry or storage calls the request itself invalid."""


class UnreadableRecordError(RejectedByPlatformError):
    """A record that no lambda can have: written by hand, or before a rule existed."""


class RetryableError(KnativeLambdaError):
    """The same event may pass later: a timeout, a 5xx, a conflict, a right still missing."""


class InvalidRequestError(PermanentError):
    """A request to the function `api` whose path, query or body is wrong."""


class RequestTooLargeError(InvalidRequestError):
    """Its body is over the limit."""


class NothingThereError(PermanentError):
    """There is no such lambda, build or log, or none that the caller can be told of."""


class StorageUnavailableError(RetryableError):
    """Object storage does not respond, or reports an error of its own."""


class SourceUnavailableError(RetryableError):
    """The host of a source does not respond, not in time, or reports an error of its own."""


class PlatformUnavailableError(RetryableError):
    """The Kubernetes API does not respond, or reports an error of its own."""


class UnauthenticatedError(PlatformUnavailableError):
    """Kubernetes does not know whose credentials these are."""


class ForbiddenError(PlatformUnavailableError):
    """Kubernetes knows who asks, and denies it."""


class ExpiredError(PlatformUnavailableError):
    """Kubernetes no longer has the version that the rest of a list belongs to."""


class RegistryUnavailableError(RetryableError):
    """The image registry does not respond, or reports an error of its own."""


class ConflictError(RetryableError):
    """Somebody else changed the object between our read and our write."""


class NotReadyError(RetryableError):
    """The effect is not complete yet and has to be checked again."""


class ThrottledError(RetryableError):
    """A dependency asks to slow down."""

    def __init__(self, message: str, *, retry_after: timedelta, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after
