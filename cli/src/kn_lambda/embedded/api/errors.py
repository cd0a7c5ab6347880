"""Errors of the Kubernetes API: a code, a reason, and the `Status` object that tells them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

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
    """An answer other than success; `causes` are (field, message) pairs."""

    def __init__(
        self,
        code: HTTPStatus,
        message: str,
        *,
        reason: str | None = None,
        details: Status | None = None,
        causes: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or _REASONS.get(code, "Unknown")
        self.message = message
        self.details = dict(details or {})
        if causes:
            cause_reason = (
                "FieldValueInvalid" if self.reason == "Invalid" else "FieldManagerConflict"
            )
            self.details["causes"] = [
                {"reason": cause_reason, "field": field, "message": text} for field, text in causes
            ]

    @property
    def status(self) -> Status:
        """The body of the answer."""
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
    """Return the `Status` object of something done."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
