"""Errors of the Kubernetes API: a code, a reason, and the `Status` object that carries them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_embedded.schemas.causes import Cause

_REASONS = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.REQUEST_TIMEOUT: "Timeout",
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.GONE: "Expired",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UnsupportedMediaType",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Invalid",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
}

Status = dict[str, Any]


class ApiError(Exception):
    """A response other than success; `causes` name the fields at fault."""

    def __init__(
        self,
        code: HTTPStatus,
        message: str,
        *,
        reason: str | None = None,
        details: Status | None = None,
        causes: Iterable[Cause] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or _REASONS.get(code, "Unknown")
        self.message = message
        self.details = dict(details or {})
        told = [
            {"reason": cause.reason, "message": cause.message, "field": cause.field}
            for cause in causes
        ]
        if told:
            self.details["causes"] = told

    @property
    def status(self) -> Status:
        """The body of the response."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": int(self.code),
        }


def bad_request(message: str) -> ApiError:
    """Return the error of a request that is not well-formed."""
    return ApiError(HTTPStatus.BAD_REQUEST, message)


def success(**details: str) -> Status:
    """Return the `Status` object of an operation that succeeded."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
