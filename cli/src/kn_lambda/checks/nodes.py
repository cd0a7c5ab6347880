"""What the kubelets of a cluster must limit, since nothing in a namespace can."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kn_lambda.checks.check import Verdict
from knative_lambda.adapters.kubernetes.client import Resource
from knative_lambda.domain.errors import KnativeLambdaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kn_lambda.cluster.api import ClusterApi

_NODES = Resource("api/v1", "nodes")
# Each is one request; the nodes of a pool have one configuration.
_MOST_ASKED = 50
_MOST_NAMED = 3
_LIMIT = (
    "Set podPidsLimit in the configuration of every kubelet, to 1024 for example: without it, the"
    " processes of one function or build can use up those of its node."
)
_ASK = (
    "Somebody who may get nodes/proxy can run this check. Or look at podPidsLimit in the"
    " configuration of the kubelets (/var/lib/kubelet/config.yaml on many nodes): -1 is no limit."
)


def check_process_limit(api: ClusterApi) -> tuple[Verdict, str, str]:
    """Whether every kubelet limits the processes of a Pod, as far as the user may ask them."""
    for verb, resource in (("list", "nodes"), ("get", "nodes/proxy")):
        if not api.may(verb, resource, ""):
            return Verdict.WARNING, f"not checked: you cannot {verb} {resource}", _ASK
    names = [node["metadata"]["name"] for node in islice(api.list(_NODES, None), _MOST_ASKED + 1)]
    limits = {name: _limit_of(api, name) for name in names[:_MOST_ASKED]}
    silent = [name for name, limit in limits.items() if limit is None]
    unlimited = [name for name, limit in limits.items() if limit is not None and limit <= 0]
    if unlimited:
        found = f"a Pod may start any number of processes on {_named(unlimited)}"
        return Verdict.WARNING, found, _LIMIT
    if silent or not limits:
        found = f"not checked: no usable answer from the kubelets of {_named(silent) or 'any node'}"
        return Verdict.WARNING, found, _ASK
    most = max(limit for limit in limits.values() if limit is not None)
    others = " (others were not asked)" if len(names) > len(limits) else ""
    found = f"a Pod has at most {most} processes on {_count(len(limits))}{others}"
    return Verdict.OK, found, ""


def _limit_of(api: ClusterApi, node: str) -> int | None:
    """Return the limit, -1 for none, or None if that kubelet does not tell."""
    try:
        limit = api.kubelet_configuration(node).get("podPidsLimit")
    except KnativeLambdaError:
        return None
    return limit if isinstance(limit, int) else None


def _named(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - _MOST_NAMED} more" if len(nodes) > _MOST_NAMED else ""
    return ", ".join(nodes[:_MOST_NAMED]) + more


def _count(nodes: int) -> str:
    return "one node" if nodes == 1 else f"{nodes} nodes"
