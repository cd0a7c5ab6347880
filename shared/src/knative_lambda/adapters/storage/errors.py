"""Errors of storage that only storage needs to distinguish."""

from __future__ import annotations

from knative_lambda.domain.errors import StorageUnavailableError


class StorageAccessDeniedError(StorageUnavailableError):
    """Storage responds, but denies this installation access until its set-up changes."""
