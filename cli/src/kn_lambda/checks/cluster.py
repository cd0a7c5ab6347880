"""What a cluster must have and permit, in addition to the checks of every platform."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kn_lambda.checks.check import Check, Verdict, run_check
from kn_lambda.checks.nodes import check_process_limit
from kn_lambda.cluster.service_address import ServiceAddress
from knative_lambda.adapters.kubernetes.client import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kn_lambda.cluster.api import ClusterApi
    from kn_lambda.cluster.installation import Installation

_PARTS = {
    "Knative Serving": ("serving.knative.dev/v1", "Install Knative Serving."),
    "Knative Eventing": ("eventing.knative.dev/v1", "Install Knative Eventing."),
    "Knative sources": ("sources.knative.dev/v1", "Install Knative Eventing."),
    "LambdaFunctions": ("knative-lambda.dev/v1alpha1", "kubectl apply -k config/overlays/..."),
}
_BINDINGS = Resource("apis/rbac.authorization.k8s.io/v1", "rolebindings")
_BOUND = tuple(
    f"knative-lambda-{function}"
    for function in ("build-start", "publish", "build-complete", "delete")
)
_SEND = "To send events from outside, you need permission to create services/proxy in {}."
_TENANT = "Make it one: kn-lambda tenant add {}"


def check_cluster(installation: Installation, namespace: str) -> Iterator[Check]:
    """Check the parts that Knative Lambda needs, the tenant, and the user's permissions."""
    api = installation.api
    for name, (group_version, hint) in _PARTS.items():
        yield run_check(name, partial(_check_part, api, group_version, hint))
    yield run_check(f"tenant {namespace}", partial(_check_tenant, api, namespace))
    yield run_check("permission to read", partial(_check_reading, api, "get", namespace))
    yield run_check("permission to read Events", partial(_check_events, api, namespace))
    yield run_check("permission to send", partial(_check_sending, installation))
    yield run_check("processes of a Pod", partial(check_process_limit, api))


def _check_part(api: ClusterApi, group_version: str, hint: str) -> tuple[Verdict, str, str]:
    if api.serves(group_version):
        return Verdict.OK, group_version, ""
    return Verdict.FAILED, f"the cluster does not serve {group_version}", hint


def _check_tenant(api: ClusterApi, namespace: str) -> tuple[Verdict, str, str]:
    bound = {item["metadata"]["name"] for item in api.list(_BINDINGS, namespace)}
    missing = [name for name in _BOUND if name not in bound]
    if not missing:
        return Verdict.OK, "has the RoleBindings of the functions", ""
    return Verdict.FAILED, f"lacks RoleBindings: {', '.join(missing)}", _TENANT.format(namespace)


def _check_reading(api: ClusterApi, verb: str, namespace: str) -> tuple[Verdict, str, str]:
    if api.may(verb, "lambdafunctions", namespace, group="knative-lambda.dev"):
        return Verdict.OK, f"you can {verb} lambdafunctions", ""
    hint = "Ask for a RoleBinding that permits it."
    return Verdict.FAILED, f"you cannot {verb} lambdafunctions in {namespace}", hint


def _check_events(api: ClusterApi, namespace: str) -> tuple[Verdict, str, str]:
    if api.may("get", "events", namespace):
        return Verdict.OK, "deploy can report why a request is rejected", ""
    found = (
        f"you cannot get events in {namespace}, so deploy cannot report why a request is rejected"
    )
    return Verdict.WARNING, found, "Ask for a RoleBinding to the ClusterRole `knative-lambda-view`."


def _check_sending(installation: Installation) -> tuple[Verdict, str, str]:
    url = installation.control_broker_url()
    address = ServiceAddress.parse(url)
    if address is None:
        return Verdict.OK, f"the Broker is at {url}", ""
    if installation.api.may("create", "services/proxy", address.namespace):
        return Verdict.OK, "events reach the Broker through the Kubernetes API", ""
    return Verdict.FAILED, f"you cannot reach {url}", _SEND.format(address.namespace)
