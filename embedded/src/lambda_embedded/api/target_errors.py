"""Errors about one object."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from lambda_embedded.api.errors import ApiError
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from lambda_embedded.api.patches.apply import ApplyConflictError
    from lambda_embedded.api.target import Target


def _details(target: Target, name: str) -> dict[str, str]:
    return {"name": name, "group": target.kind.group, "kind": target.kind.plural}


def not_found(target: Target) -> ApiError:
    """Return the error 404 of an object."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        f'{target.kind.resource} "{target.name}" not found',
        details=_details(target, target.name),
    )


def already_exists(target: Target, name: str) -> ApiError:
    """Return the error 409 of a name that is taken."""
    return ApiError(
        HTTPStatus.CONFLICT,
        f'{target.kind.resource} "{name}" already exists',
        reason="AlreadyExists",
        details=_details(target, name),
    )


def conflict(target: Target, message: str) -> ApiError:
    """Return the error 409 of an object that changed meanwhile."""
    return ApiError(
        HTTPStatus.CONFLICT,
        f'Operation cannot be fulfilled on {target.kind.resource} "{target.name}": {message}',
        details=_details(target, target.name),
    )


def apply_conflict(error: ApplyConflictError) -> ApiError:
    """Return the error 409 of fields that other managers own."""
    causes = [
        Cause(_dotted(path), f'conflict with "{manager}"', "FieldManagerConflict")
        for manager, path in error.fields
    ]
    text = ", ".join(f"{cause.message}: {cause.field}" for cause in causes)
    return ApiError(HTTPStatus.CONFLICT, f"Apply failed with: {text}", causes=causes)


def unknown_fields(target: Target, fields: list[str]) -> ApiError:
    """Return the error of fields that are applied and that the kind does not have.

    kube-apiserver says the same with the code 500, which would have clients try again.
    """
    kind, shown = (
        target.kind,
        "\n".join(f".{field}: field not declared in schema" for field in fields[:20]),
    )
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        f"failed to create typed patch object ({target.namespace}/{target.name}; "
        f"{kind.api_version}, Kind={kind.kind}): {shown}",
        causes=[Cause(field, "field not declared in schema") for field in fields[:20]],
    )


def _dotted(path: tuple[str, ...]) -> str:
    return "".join(
        f".{element[2:]}" if element.startswith("f:") else f"[{element[2:]}]" for element in path
    )
