"""The kinds that the embedded platform's Kubernetes API serves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_SUBDOMAIN_63 = re.compile(r"(?=.{1,63}\Z)" + _SUBDOMAIN.pattern)

_POD_LIST_KEYS = {
    "conditions": ("type",),
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: where it is found, and the rules that kube-apiserver or its CRD has for it."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    has_status: bool = False
    short_names: tuple[str, ...] = ()
    name_pattern: re.Pattern[str] = _SUBDOMAIN
    immutable: tuple[tuple[str, ...], ...] = ()
    list_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lists, by the name of their field, that server-side apply merges by these keys of an item."""
    deletion_returns_object: bool = False

    @property
    def api_version(self) -> str:
        """`v1`, `batch/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`pods`, `jobs.batch`: how messages name the kind."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_custom(self) -> bool:
        """Whether a CRD defines the kind on a cluster; kube-apiserver is stricter with those."""
        return "." in self.group


_SERVING = "serving.knative.dev"
_EVENTING = "eventing.knative.dev"
_SOURCES = "sources.knative.dev"

KINDS = (
    Kind(kind="Namespace", plural="namespaces", namespaced=False, has_status=True,
         short_names=("ns",), name_pattern=_LABEL),
    Kind(kind="ConfigMap", plural="configmaps", short_names=("cm",)),
    Kind(kind="Secret", plural="secrets", immutable=(("type",),)),
    Kind(kind="ServiceAccount", plural="serviceaccounts", short_names=("sa",),
         list_keys={"secrets": ("name",), "imagePullSecrets": ("name",)},
         deletion_returns_object=True),
    Kind(kind="Event", plural="events", short_names=("ev",)),
    Kind(kind="Pod", plural="pods", has_status=True, short_names=("po",),
         list_keys=_POD_LIST_KEYS, deletion_returns_object=True),
    # The Job controller labels pods with the Job's name, and label values end at 63 characters.
    Kind(kind="Job", plural="jobs", group="batch", has_status=True, name_pattern=_SUBDOMAIN_63,
         immutable=(("spec", "template"), ("spec", "selector")), list_keys=_POD_LIST_KEYS),
    Kind(kind="LambdaFunction", plural="lambdafunctions", group="knative-lambda.dev",
         version="v1alpha1", has_status=True, short_names=("lf",),
         list_keys={"conditions": ("type",)}),
    Kind(kind="Service", plural="services", has_status=True, short_names=("ksvc", "kservice"),
         name_pattern=_DNS_1035_LABEL, group=_SERVING),
    Kind(kind="Revision", plural="revisions", group=_SERVING, has_status=True,
         short_names=("rev",)),
    Kind(kind="Broker", plural="brokers", has_status=True, group=_EVENTING),
    Kind(kind="Trigger", plural="triggers", has_status=True,
         immutable=(("spec", "broker"),), group=_EVENTING),
    Kind(kind="PingSource", plural="pingsources", has_status=True, group=_SOURCES),
    Kind(kind="ApiServerSource", plural="apiserversources", has_status=True, group=_SOURCES),
)  # fmt: skip

_BY_PLACE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
_BY_NAME = {kind.kind: kind for kind in KINDS}


def kind_at(group: str, version: str, plural: str) -> Kind | None:
    """Return the kind at a path of the API, if it is served."""
    return _BY_PLACE.get((group, version, plural))


def kind_named(api_version: str, name: str) -> Kind | None:
    """Return the kind that an owner reference names (any version of its group), if it is served."""
    kind = _BY_NAME.get(name)
    group = api_version.rpartition("/")[0]
    return kind if kind is not None and kind.group == group else None
