"""What a path of the Kubernetes API names, and the errors about it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from lambda_embedded.api.errors import ApiError
from lambda_embedded.api.kinds.served import Kind, kind_at
from lambda_embedded.schemas.causes import Cause

ALL_NAMESPACES = "*"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path of the API names; an empty name is the collection."""

    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""


def parse_path(path: str) -> Target | None:
    """Return what a path names, or None; the namespace of a list over all of them is "*"."""
    match path.strip("/").split("/"):
        case ["api", version, *rest]:
            return _target("", version, rest)
        case ["apis", group, version, *rest]:
            return _target(group, version, rest)
    return None


def _target(group: str, version: str, rest: list[str]) -> Target | None:
    namespace = ALL_NAMESPACES
    # /namespaces/<name> and /namespaces/<name>/status are the Namespace itself.
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] != "status":  # noqa: PLR2004  # a namespace and a kind
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *more = [*rest, "", "", ""][: max(3, len(rest))]
    kind = kind_at(group, version, plural)
    if kind is None or any(more) or not namespace or (len(rest) > 1 and not all(rest)):
        return None
    if not kind.namespaced:
        return Target(kind, "", name, subresource) if namespace == ALL_NAMESPACES else None
    if name and namespace == ALL_NAMESPACES:
        return None
    served = {"", "status"} if kind.has_status else {""}
    served |= {"log"} if kind.kind == "Pod" else set()
    return Target(kind, namespace, name, subresource) if subresource in served else None


def not_found(target: Target) -> ApiError:
    """Return the error 404 of an object."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        f'{target.kind.resource} "{target.name}" not found',
        details=_details(target, target.name),
    )


def already_exists(target: Target, name: str) -> ApiError:
    """Return the error 409 for a name that is taken."""
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


def unknown_fields(target: Target, fields: list[str]) -> ApiError:
    """Return the error of fields that are applied and that the kind does not have.

    kube-apiserver sends the same with code 500, which would make clients retry.
    """
    kind = target.kind
    shown = "\n".join(f".{field}: field not declared in schema" for field in fields[:20])
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        f"failed to create typed patch object ({target.namespace}/{target.name}; "
        f"{kind.api_version}, Kind={kind.kind}): {shown}",
        causes=[Cause(field, "field not declared in schema") for field in fields[:20]],
    )


def _details(target: Target, name: str) -> dict[str, str]:
    return {"name": name, "group": target.kind.group, "kind": target.kind.plural}
