"""`kubectl auth can-i` and `whoami`: the platform has one user, who may do all that is served."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from lambda_embedded.api.discovery.unserved import is_unserved_subresource
from lambda_embedded.api.errors import ApiError, bad_request
from lambda_embedded.api.kinds.served import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_embedded.store.objects import KubernetesObject

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
REVIEWS = {
    (AUTHENTICATION, "selfsubjectreviews"): "SelfSubjectReview",
    (AUTHORIZATION, "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    (AUTHORIZATION, "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
}
"""Kinds that are evaluated at once and never stored, by group and plural."""

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
USER = "kn-lambda-embedded"
_ALL = "*"
_NOT_SERVED = {
    "allowed": False,
    "denied": True,
    "reason": "the embedded platform does not serve it; `kubectl api-resources` lists what it does",
}


def reject_impersonation(headers: Mapping[str, str]) -> None:
    """Raise `ApiError` 403 for a request in another user's name: it would run as our only user."""
    if any(name.lower().startswith("impersonate-") for name in headers):
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "the embedded platform has one user and nobody to impersonate: leave out --as, "
            "or try it on a cluster",
        )


def review_kind(path: str) -> str | None:
    """Return the kind of review that a path takes, or None."""
    match path.strip("/").split("/"):
        case ["apis", group, "v1", plural]:
            return REVIEWS.get((group, plural))
    return None


def review(kind: str, item: KubernetesObject) -> KubernetesObject:
    """Return a review with its result in `status`."""
    group = AUTHENTICATION if kind == "SelfSubjectReview" else AUTHORIZATION
    spec = item.get("spec") or {}
    if not isinstance(spec, dict):
        raise bad_request("spec: must be an object")
    statuses = {
        "SelfSubjectReview": _who, "SelfSubjectAccessReview": _may,
        "SelfSubjectRulesReview": _rules,
    }  # fmt: skip
    identity = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {}}
    return {**identity, "spec": spec, "status": statuses[kind](spec)}


def _who(_spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"userInfo": {"username": USER, "groups": ["system:masters", "system:authenticated"]}}


def _may(spec: Mapping[str, Any]) -> dict[str, Any]:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        return {
            "allowed": True,
            "reason": "everyone who has the platform's token may do everything",
        }
    if not isinstance(wanted, dict):
        raise bad_request("spec.resourceAttributes: must be an object")
    fields = ("group", "resource", "subresource", "verb", "name")
    group, resource, subresource, verb, name = (str(wanted.get(each) or "") for each in fields)
    # `can-i create pods/exec` asks about a Pod named exec, but means running a command in a Pod.
    if is_unserved_subresource(group, resource, name):
        return _NOT_SERVED
    for rule in _resource_rules():
        full_name = f"{resource}/{subresource}" if subresource else resource
        if (
            group in {*rule["apiGroups"], _ALL}
            and full_name in {*rule["resources"], _ALL}
            and verb in {*rule["verbs"], _ALL}
        ):
            return {"allowed": True, "reason": "everyone who has the platform's token may do it"}
    return _NOT_SERVED


def _rules(_spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceRules": _resource_rules(),
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [_ALL]}],
        "incomplete": False,
    }


def _resource_rules() -> list[dict[str, list[str]]]:
    rules = []
    for kind in KINDS:
        rules.append(_rule(kind.group, kind.plural, VERBS))
        if kind.has_status:
            rules.append(_rule(kind.group, f"{kind.plural}/status", STATUS_VERBS))
    rules.append(_rule("", "pods/log", ("get",)))
    return rules + [_rule(group, plural, ("create",)) for group, plural in REVIEWS]


def _rule(group: str, resource: str, verbs: tuple[str, ...]) -> dict[str, list[str]]:
    return {"verbs": list(verbs), "apiGroups": [group], "resources": [resource]}
