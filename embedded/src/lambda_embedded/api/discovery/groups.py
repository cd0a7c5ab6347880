"""What the API says about itself: versions, groups and kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_embedded.api.discovery.access_reviews import REVIEWS, STATUS_VERBS, VERBS
from lambda_embedded.api.kinds.served import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUPS = frozenset(
    {*(kind.group for kind in KINDS if kind.group), *(group for group, _ in REVIEWS)}
)
# The names by which `kubectl get` shows several kinds at once.
_CATEGORIES = {
    "Pod": ["all"],
    "Job": ["all"],
    "LambdaFunction": ["knative"],
    "Service": ["all", "knative", "serving"],
    "Revision": ["all", "knative", "serving"],
    "Broker": ["all", "knative", "eventing"],
    "Trigger": ["all", "knative", "eventing"],
    "PingSource": ["all", "knative", "sources"],
    "ApiServerSource": ["all", "knative", "sources"],
}

VERSION = {
    "major": "1",
    "minor": "35",
    "gitVersion": "v1.35.0+kn-lambda.embedded",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "embedded",
}


def discovery_document(path: str) -> dict[str, Any] | None:
    """Return the document at a path, or None."""
    match path.strip("/").split("/"):
        case ["version"]:
            document: dict[str, Any] | None = VERSION
        case ["api"]:
            document = {
                "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [],
            }  # fmt: skip
        case ["apis"]:
            groups = [_group(group) for group in sorted(_GROUPS)]
            document = {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in _GROUPS:
            document = {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["api", version]:
            document = _resources("", version)
        case ["apis", group, version]:
            document = _resources(group, version)
        case _:
            document = None
    return document


def _group(group: str) -> dict[str, Any]:
    versions = sorted({kind.version for kind in KINDS if kind.group == group}) or ["v1"]
    entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def _resources(group: str, version: str) -> dict[str, Any] | None:
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    resources = [_review(plural, kind) for (of, plural), kind in REVIEWS.items() if of == group]
    if not kinds and not (resources and version == "v1"):
        return None
    for kind in kinds:
        resources.append(_resource(kind, "", VERBS))
        if kind.has_status:
            resources.append(_resource(kind, "/status", STATUS_VERBS))
        if kind.kind == "Pod":
            resources.append(_resource(kind, "/log", ["get"]))
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": resources,
    }


def _review(plural: str, kind: str) -> dict[str, Any]:
    names = {"name": plural, "singularName": kind.lower(), "kind": kind}
    return {**names, "namespaced": False, "verbs": ["create"]}


def _resource(kind: Kind, subresource: str, verbs: Sequence[str]) -> dict[str, Any]:
    entry = {
        "name": kind.plural + subresource,
        "singularName": "" if subresource else kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(verbs),
    }
    if kind.short_names and not subresource:
        entry["shortNames"] = list(kind.short_names)
    if kind.kind in _CATEGORIES and not subresource:
        entry["categories"] = _CATEGORIES[kind.kind]
    return entry
