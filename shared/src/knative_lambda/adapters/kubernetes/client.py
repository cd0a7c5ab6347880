"""The few verbs that we need of the Kubernetes API, on plain dictionaries.

The typed models of the client would cost each function tens of MiB and most of its cold start.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from knative_lambda.adapters.kubernetes.errors import (
    AlreadyExistsError,
    NotFoundError,
    translated,
)
from knative_lambda.domain.errors import ConflictError, PlatformUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIELD_MANAGER = "knative-lambda"

_PAGE = 500
_CONNECT_SECONDS = 3
_READ_SECONDS = 15

KubernetesObject = dict[str, Any]


class Resource:
    """Where a kind lives: `Resource("apis/batch/v1", "jobs")`."""

    def __init__(self, root: str, plural: str) -> None:
        self.root = root
        self.plural = plural

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """Path in the API; without a namespace, the one of all namespaces."""
        parts = [] if namespace is None else ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return f"/{self.root}/" + "/".join(quote(part, safe="") for part in parts)


LAMBDA_FUNCTIONS = Resource("apis/knative-lambda.dev/v1alpha1", "lambdafunctions")
JOBS = Resource("apis/batch/v1", "jobs")
PODS = Resource("api/v1", "pods")
CONFIG_MAPS = Resource("api/v1", "configmaps")
SERVICES = Resource("apis/serving.knative.dev/v1", "services")
REVISIONS = Resource("apis/serving.knative.dev/v1", "revisions")
TRIGGERS = Resource("apis/eventing.knative.dev/v1", "triggers")
BROKERS = Resource("apis/eventing.knative.dev/v1", "brokers")


class KubernetesApi:
    """Connects by KUBECONFIG where that is set, else as a Pod does. Every call has a timeout."""

    def __init__(
        self,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._timeouts = (_CONNECT_SECONDS, read_seconds)

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401  # the client has no types
        from kubernetes import client  # noqa: PLC0415  # see errors.translated

        configuration = client.Configuration()
        try:
            self._configure(configuration)
        except Exception as error:  # the loader trips over broken files in many ways
            raise PlatformUnavailableError(
                "it is not known where the Kubernetes API is: check KUBECONFIG, or the Pod's "
                f"service account ({type(error).__name__})"
            ) from error
        configuration.retries = False  # the Broker retries; a retry within a retry hides trouble
        return client.ApiClient(configuration)

    def _configure(self, configuration: Any) -> None:  # noqa: ANN401  # the client has no types
        from kubernetes import config  # noqa: PLC0415

        in_pod = "KUBERNETES_SERVICE_HOST" in os.environ  # noqa: TID251  # how Kubernetes says so
        if self._kubeconfig is None and in_pod and self._context is None:
            config.load_incluster_config(client_configuration=configuration)
            return
        config.load_kube_config(
            config_file=self._kubeconfig,
            context=self._context,
            client_configuration=configuration,
        )

    def get(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        """One object, or `NotFoundError`."""
        return self._json("GET", resource.path(namespace, name))

    def find(self, resource: Resource, namespace: str, name: str) -> KubernetesObject | None:
        """One object, or None."""
        try:
            return self.get(resource, namespace, name)
        except NotFoundError:
            return None

    def list(
        self, resource: Resource, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> Iterator[KubernetesObject]:
        """Objects page by page; all namespaces without a namespace."""
        query = {"limit": str(_PAGE)}
        if labels:
            query["labelSelector"] = ",".join(f"{key}={value}" for key, value in labels.items())
        while True:
            page = self._json("GET", resource.path(namespace), query=query)
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def create(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Make an object, or `AlreadyExistsError`."""
        path = resource.path(item["metadata"]["namespace"])
        return self._json("POST", path, body=item, query={"fieldManager": FIELD_MANAGER})

    def create_or_get(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Make an object, or return the one that a delivery before this one made."""
        try:
            return self.create(resource, item)
        except AlreadyExistsError:
            return self.get(resource, item["metadata"]["namespace"], item["metadata"]["name"])

    def replace(
        self, resource: Resource, item: KubernetesObject, *, subresource: str = ""
    ) -> KubernetesObject:
        """Write the version that `item` was read at, or `ConflictError`."""
        metadata = item["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"], subresource)
        return self._json("PUT", path, body=item, query={"fieldManager": FIELD_MANAGER})

    def apply(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Server-side apply: our fields become these, fields of others stay."""
        metadata = item["metadata"]
        return self._json(
            "PATCH",
            resource.path(metadata["namespace"], metadata["name"]),
            body=item,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    def annotate(
        self, resource: Resource, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> None:
        """Set annotations and leave all else; done when the object is gone."""
        try:
            self._json(
                "PATCH",
                resource.path(namespace, name),
                body={"metadata": {"annotations": dict(annotations)}},
                query={"fieldManager": FIELD_MANAGER},
                content_type="application/merge-patch+json",
            )
        except NotFoundError:
            return

    def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str | None = None
    ) -> None:
        """Remove an object with what it owns; done when it is gone or is another one (`uid`)."""
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        try:
            self._json("DELETE", resource.path(namespace, name), body=body)
        except NotFoundError:
            return
        except ConflictError:
            now = self.find(resource, namespace, name)
            if uid is None or (now is not None and now["metadata"]["uid"] == uid):
                raise

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """A plain-text answer, such as a log."""
        return self._send("GET", path, query=query).decode(errors="replace")

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: KubernetesObject | None = None,
        content_type: str = "application/json",
    ) -> KubernetesObject:
        answer = self._send(method, path, query=query, body=body, content_type=content_type)
        with translated(_what(path)):
            found = json.loads(answer)
        if not isinstance(found, dict):
            raise PlatformUnavailableError(
                f"the Kubernetes API answers no object for {_what(path)}"
            )
        return found

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: KubernetesObject | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        with translated(_what(path)):
            response = self._client.call_api(
                f"{path}?{urlencode(query)}" if query else path,
                method,
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=self._timeouts,
            )
            content: bytes = response.data
        return content


def _what(path: str) -> str:
    """Name the object of a path for a person: `<namespace>/<kind>/<name>`."""
    return path.partition("namespaces/")[2] or path
