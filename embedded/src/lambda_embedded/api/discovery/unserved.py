"""What a cluster serves and the embedded platform does not, with an alternative for each."""

from __future__ import annotations

from http import HTTPStatus

from lambda_embedded.api.errors import ApiError

NOT_FOUND = "the server could not find the requested resource"
_PROCESS = (
    "a container is a process of this machine: read `kubectl logs`, call a lambda by the URL that "
    "`kubectl get lf` shows, or use a cluster"
)
_SUBRESOURCES = {
    ("pods", "exec"): _PROCESS,
    ("pods", "attach"): _PROCESS,
    ("pods", "portforward"): _PROCESS,
    ("pods", "ephemeralcontainers"): _PROCESS,
    ("pods", "eviction"): "delete the Pod's Job or Service",
    ("serviceaccounts", "token"): (
        "the platform has one user, whose token is in the file that `kubectl config view` names"
    ),
}
_WORKLOADS = "make a LambdaFunction, a Knative Service or a Job, which run here"
_ROLES = "everyone who has the platform's token may do everything; try roles on a cluster"
_GROUPS = {
    "apps": _WORKLOADS,
    "autoscaling": "`spec.scale` of a LambdaFunction says how many instances there may be",
    "rbac.authorization.k8s.io": _ROLES,
    "networking.k8s.io": "lambdas have their URL here; try network policies on a cluster",
    "apiextensions.k8s.io": "its kinds are fixed; use a cluster for others",
}
_CORE = {
    "services": "Knative's are `ksvc`, and lambdas have a URL of their own (`kubectl get lf`)",
    "nodes": "all runs on this one machine",
    "resourcequotas": "try quotas on a cluster",
}
_DEFAULT = "`kubectl api-resources` lists what it serves; a cluster has the rest"


def is_unserved_subresource(group: str, plural: str, name: str) -> bool:
    """Whether a cluster serves a subresource of that name and the embedded platform does not."""
    return not group and (plural, name) in _SUBRESOURCES


def unserved(path: str) -> ApiError:
    """Return the error 404 of a path that names nothing here."""
    match path.strip("/").split("/"):
        case ["api", "v1", *rest]:
            group = ""
        case ["apis", group, _, *rest]:
            pass
        case _:
            return ApiError(HTTPStatus.NOT_FOUND, NOT_FOUND)
    if rest[:1] == ["namespaces"] and len(rest) > 2:  # noqa: PLR2004  # a namespace and a kind
        rest = rest[2:]
    plural, _, subresource = [*rest, "", "", ""][:3]
    way_out = _SUBRESOURCES.get((plural, subresource)) if not group else _GROUPS.get(group)
    way_out = way_out or (_CORE.get(plural) if not group else None) or _DEFAULT
    what = "/".join(part for part in (group, plural, subresource) if part) or "this"
    return ApiError(
        HTTPStatus.NOT_FOUND,
        f"{NOT_FOUND}: the embedded platform does not serve {what[:200]}; {way_out} "
        "(docs/API_CONTRACT.md, section 'The embedded Kubernetes API')",
    )
