"""One installation of Knative Lambda: its records, its settings, its Brokers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kn_lambda.errors import MissingError, UnreachableError
from knative_lambda.adapters.kubernetes.client import BROKERS, CONFIG_MAPS, LAMBDA_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kn_lambda.cluster.api import ClusterApi
    from kn_lambda.cluster.http import HttpClient
    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.names import FunctionId

CONTROL_NAMESPACE = "knative-lambda"
CONTROL_BROKER = "knative-lambda"
SETTINGS = "knative-lambda-settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """Reads the objects of one installation; `name` is for messages."""

    api: ClusterApi
    http: HttpClient
    name: str
    is_embedded: bool
    broker_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers for requests to a Broker; the embedded platform's Broker requires its token."""

    def settings(self) -> Mapping[str, str]:
        """Return the settings of the functions; `UnreachableError` if there are none."""
        found = self.api.find(CONFIG_MAPS, CONTROL_NAMESPACE, SETTINGS)
        if found is None:
            raise UnreachableError(
                f"Knative Lambda is not installed in {self.name}:"
                f" no ConfigMap {CONTROL_NAMESPACE}/{SETTINGS}",
                hint="Select another platform with --context or --home.",
            )
        data: Mapping[str, str] = found.get("data") or {}
        return data

    def builds_namespace(self) -> str:
        """Return the namespace of the build Jobs."""
        return self.settings().get("KN_LAMBDA_BUILDS_NAMESPACE", "knative-lambda-builds")

    def tenant_broker(self) -> str:
        """Return the name of each tenant's Broker."""
        return self.settings().get("KN_LAMBDA_TENANT_BROKER") or "default"

    def find_record(self, function: FunctionId) -> KubernetesObject | None:
        """Return the record of a function, or None."""
        return self.api.find(LAMBDA_FUNCTIONS, function.namespace, function.name)

    def record(self, function: FunctionId) -> KubernetesObject:
        """Return the record of a function; `MissingError` when there is none."""
        found = self.find_record(function)
        if found is None:
            raise MissingError(
                f"function {function} not found",
                hint=f"List the functions there: kn-lambda list -n {function.namespace}",
            )
        return found

    def broker_url(self, namespace: str, name: str) -> str:
        """Return the address of a Broker."""
        broker = self.api.find(BROKERS, namespace, name)
        address: Mapping[str, Any] = ((broker or {}).get("status") or {}).get("address") or {}
        if "url" not in address:
            state = "has no address yet" if broker else "does not exist"
            raise UnreachableError(
                f"the Broker {namespace}/{name} {state}",
                hint="Run `kn-lambda doctor` to find out why.",
            )
        url: str = address["url"]
        return url

    def control_broker_url(self) -> str:
        """Return the address of the Broker that accepts requests to deploy and to delete."""
        return self.broker_url(CONTROL_NAMESPACE, CONTROL_BROKER)
