"""Errors of storage that only storage has to tell apart."""

from __future__ import annotations

from knative_lambda.domain.errors import StorageUnavailableError


class StorageAccessDeniedError(StorageUnavailableError):
    """Storage answers, but lets this installation in only after its set-up has changed."""
