"""All errors of ours, and one of each."""

from __future__ import annotations

from datetime import timedelta

from knative_lambda.adapters.kubernetes import errors as _kubernetes  # noqa: F401  # its errors
from knative_lambda.domain.errors import InvalidContentError, ThrottledError


def subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def instance(cls):
    if issubclass(cls, ThrottledError):
        return cls("slow down", retry_after=timedelta(seconds=7))
    if issubclass(cls, InvalidContentError):
        return cls("told to a person", reason="InvalidContent")
    return cls("told to a person", field="some.field")
