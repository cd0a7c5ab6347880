"""What the API says about itself: versions, groups and kinds."""

from __future__ import annotations

from typing import Any

from kn_lambda.embedded.api.kinds import KINDS, Kind

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_GROUPS = frozenset(kind.group for kind in KINDS if kind.group)
# Under which names `kubectl get` shows several kinds at once.
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
_STATUS_VERBS = ["get", "patch", "update"]

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
    versions = sorted({kind.version for kind in KINDS if kind.group == group})
    entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def _resources(group: str, version: str) -> dict[str, Any] | None:
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    if not kinds:
        return None
    resources = []
    for kind in kinds:
        resources.append(_resource(kind, "", _VERBS))
        if kind.has_status:
            resources.append(_resource(kind, "/status", _STATUS_VERBS))
        if kind.kind == "Pod":
            resources.append(_resource(kind, "/log", ["get"]))
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": resources,
    }


def _resource(kind: Kind, subresource: str, verbs: list[str]) -> dict[str, Any]:
    entry = {
        "name": kind.plural + subresource,
        "singularName": "" if subresource else kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": verbs,
    }
    if kind.short_names and not subresource:
        entry["shortNames"] = list(kind.short_names)
    if kind.kind in _CATEGORIES and not subresource:
        entry["categories"] = _CATEGORIES[kind.kind]
    return entry
