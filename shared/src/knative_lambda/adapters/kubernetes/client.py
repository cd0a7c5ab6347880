"""The few verbs that we need of the Kubernetes API, on plain dictionaries.

The kubernetes package would cost each function tens of MiB and most of its first event's time.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from knative_lambda.adapters.kubernetes.connection import (
    SERVICE_ACCOUNT,
    SERVICE_HOST,
    pod_connection,
)
from knative_lambda.adapters.kubernetes.errors import (
    AlreadyExistsError,
    NotFoundError,
    cause_in_words,
    object_of,
    translated,
)
from knative_lambda.adapters.kubernetes.transport import Transport
from knative_lambda.domain.errors import ConflictError, PlatformUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from knative_lambda.adapters.kubernetes.connection import Connection

FIELD_MANAGER = "knative-lambda"
_DEFAULT_KUBECONFIG = "~/.kube/config"

# Pages of 500 take 3 MiB more while they are read, and save hardly any time.
_PAGE = 100
# Whoever may write an object decides how large it is, and what is read of it takes many times that.
_PAGE_BYTES = 4 * 1024 * 1024
_CHUNK = 64 * 1024
_READ_SECONDS = 15

KubernetesObject = dict[str, Any]


class Resource:
    """Where a kind lives: `Resource("apis/batch/v1", "jobs")`."""

    def __init__(self, root: str, plural: str) -> None:
        self.root = root
        self.plural = plural

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """Return the path in the API; without a namespace, that of all namespaces."""
        parts = [] if namespace is None else ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return f"/{self.root}/" + "/".join(quote(part, safe="") for part in parts)


LAMBDA_FUNCTIONS = Resource("apis/knative-lambda.dev/v1alpha1", "lambdafunctions")
JOBS = Resource("apis/batch/v1", "jobs")
PODS = Resource("api/v1", "pods")
SECRETS = Resource("api/v1", "secrets")
EVENTS = Resource("api/v1", "events")
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
        service_account: Path = SERVICE_ACCOUNT,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._read_seconds = read_seconds
        self._service_account = service_account

    @cached_property
    def _transport(self) -> Transport:
        return Transport(_find_connection(self._kubeconfig, self._context, self._service_account))

    def close(self) -> None:
        """Close connections; the next call makes one again."""
        self._transport.close()

    def get(self, resource: Resource, namespace: str | None, name: str) -> KubernetesObject:
        """One object, or `NotFoundError`; one that is in no namespace has None."""
        return self._json("GET", resource.path(namespace, name))

    def find(self, resource: Resource, namespace: str | None, name: str) -> KubernetesObject | None:
        """One object, or None."""
        try:
            return self.get(resource, namespace, name)
        except NotFoundError:
            return None

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: Mapping[str, str] | None = None,
        fields: str | None = None,
    ) -> Iterator[KubernetesObject]:
        """Objects page by page, few at once where they are large; all namespaces without one."""
        query, limit = {}, _PAGE
        if fields is not None:
            query["fieldSelector"] = fields
        if labels:
            query["labelSelector"] = ",".join(f"{key}={value}" for key, value in labels.items())
        while True:
            page = self._page(resource.path(namespace), {**query, "limit": str(limit)}, limit)
            if page is None:
                limit = max(1, limit // 4)
                continue
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            query["continue"] = token
            limit = min(limit * 2, _PAGE)

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
        """Server-side apply: sets our fields, and leaves fields of other managers unchanged."""
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
        """Set annotations and nothing else; does nothing when the object is gone."""
        try:
            self.merge(resource, namespace, name, {"metadata": {"annotations": dict(annotations)}})
        except NotFoundError:
            return

    def merge(
        self, resource: Resource, namespace: str | None, name: str, change: Mapping[str, Any]
    ) -> KubernetesObject:
        """Change some fields; `ConflictError` if a `resourceVersion` in them is out of date.

        An object that is in no namespace has None.
        """
        return self._json(
            "PATCH",
            resource.path(namespace, name),
            body=dict(change),
            query={"fieldManager": FIELD_MANAGER},
            content_type="application/merge-patch+json",
        )

    def delete_version(self, resource: Resource, namespace: str, name: str, version: str) -> None:
        """Delete this version of an object and what it owns; else `ConflictError`."""
        preconditions = {"resourceVersion": version}
        body = {"propagationPolicy": "Background", "preconditions": preconditions}
        self._json("DELETE", resource.path(namespace, name), body=body)

    def delete(
        self, resource: Resource, namespace: str | None, name: str, *, uid: str | None = None
    ) -> None:
        """Delete an object and what it owns; does nothing when it is gone or has another `uid`.

        An object that is in no namespace has None.
        """
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
        """Return a response in plain text, such as a log."""
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
        response = self._send(method, path, query=query, body=body, content_type=content_type)
        return _object(path, response)

    def _page(self, path: str, query: Mapping[str, str], limit: int) -> KubernetesObject | None:
        """Return a page; None for one of several objects that is larger than may be held."""
        response = self._transport.send(
            "GET",
            path,
            query=query,
            headers={"Accept": "application/json"},
            read_seconds=self._read_seconds,
            in_pieces=True,
        )
        content = bytearray()
        with translated(object_of(path)):
            for chunk in response.stream(_CHUNK):
                content += chunk
                if len(content) > _PAGE_BYTES and limit > 1:
                    response.close()
                    return None
        response.release_conn()
        return _object(path, bytes(content))

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: KubernetesObject | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        return self._transport.send(
            method,
            path,
            query=query,
            headers={"Accept": "application/json", "Content-Type": content_type},
            body=None if body is None else json.dumps(body).encode(),
            read_seconds=self._read_seconds,
        ).data


def _object(path: str, response: bytes) -> KubernetesObject:
    with translated(object_of(path)):
        found = json.loads(response)
    if not isinstance(found, dict):
        raise PlatformUnavailableError(
            f"the Kubernetes API returned no object for {object_of(path)}"
        )
    return found


def _find_connection(
    kubeconfig: str | None, context: str | None, service_account: Path
) -> Connection:
    """Use KUBECONFIG where it is set, else the Pod's account, else the file in the home folder.

    Nothing is sent yet; `PlatformUnavailableError` where nothing says where to send it.
    """
    environment = os.environ  # noqa: TID251  # how Kubernetes and its users say so
    named = kubeconfig or environment.get("KUBECONFIG")
    try:
        if not named and context is None and SERVICE_HOST in environment:
            return pod_connection(environment, service_account)
        # Loaded where it is needed: a Pod reads no YAML.
        from knative_lambda.adapters.kubernetes.kubeconfig import (  # noqa: PLC0415
            kubeconfig_connection,
        )

        return kubeconfig_connection(named or _DEFAULT_KUBECONFIG, context)
    except Exception as error:  # broken files break their readers in many ways
        raise PlatformUnavailableError(
            "it is not known where the Kubernetes API is: check KUBECONFIG, or the Pod's "
            f"service account ({cause_in_words(error)})"
        ) from error
