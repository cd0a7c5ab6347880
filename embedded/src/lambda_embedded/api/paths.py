"""Paths of the Kubernetes API."""

from __future__ import annotations

from lambda_embedded.api.kinds.served import kind_at
from lambda_embedded.api.target import Target

ALL_NAMESPACES = "*"


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
