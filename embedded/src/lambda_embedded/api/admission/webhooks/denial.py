"""Denials in the words of Knative's webhooks."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.api.errors import ApiError
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_embedded.api.kinds.served import Kind
    from lambda_embedded.store.objects import KubernetesObject

_WEBHOOKS = {
    "serving.knative.dev": "validation.webhook.serving.knative.dev",
    "eventing.knative.dev": "validation.webhook.eventing.knative.dev",
}


def denied(kind: Kind, item: KubernetesObject, faults: Iterable[Cause]) -> ApiError:
    """Return the error 400 of an object that a webhook denies."""
    causes = tuple(faults)
    text = "\n".join(f"{cause.message}: {cause.field}" for cause in causes)
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        f'admission webhook "{_WEBHOOKS[kind.group]}" denied the request: '
        f"validation failed: {text}",
        details={"name": item["metadata"]["name"], "group": kind.group, "kind": kind.kind},
        causes=causes,
    )


def missing(*fields: str) -> Cause:
    """A required field is missing."""
    return Cause(", ".join(fields), "missing field(s)", "FieldValueRequired")


def out_of_bounds(value: object, least: int, most: int, field: str) -> Cause:
    """A number is out of bounds."""
    return Cause(field, f"expected {least} <= {value} <= {most}")


def invalid(value: object, field: str) -> Cause:
    """A value is not allowed."""
    return Cause(field, f"invalid value: {str(value)[:100]}")


def unknown(field: str) -> Cause:
    """The kind does not have this field, though its schema would keep it."""
    return Cause(field, f'json: unknown field "{field.rpartition(".")[2][:100]}"')
