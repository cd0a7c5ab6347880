"""The Kubernetes API of the shared adapters, with the calls that only the command line needs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from knative_lambda.adapters.kubernetes.client import KubernetesApi
from knative_lambda.adapters.kubernetes.errors import (
    NamespaceNotFoundError,
    NotFoundError,
    object_of,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kn_lambda.cluster.service_address import ServiceAddress
    from knative_lambda.adapters.kubernetes.client import KubernetesObject, Resource


class ClusterApi(KubernetesApi):
    """`KubernetesApi` that also follows logs, checks permissions, reaches Services and kubelets."""

    def send_to_service(
        self, address: ServiceAddress, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> None:
        """POST to a Service inside the cluster; any status but 2xx raises one of our errors."""
        self._transport.send(
            "POST", address.proxy_path, headers=headers, body=body, read_seconds=seconds
        )

    def may(self, verb: str, resource: str, namespace: str, *, group: str = "") -> bool:
        """Whether the user has a permission; `resource` may be `services/proxy`."""
        name, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": name, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**attributes, "subresource": subresource}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self._json("POST", path, body=review)["status"]["allowed"])

    def look_up(
        self, resource: Resource, namespace: str | None, name: str
    ) -> KubernetesObject | None:
        """Return an object or None; a namespace that is missing is None too."""
        try:
            return self.find(resource, namespace, name)
        except NamespaceNotFoundError:
            return None

    def apply_as(
        self,
        manager: str,
        resource: Resource,
        item: KubernetesObject,
        *,
        takes_over: bool = False,
        is_rehearsal: bool = False,
    ) -> KubernetesObject:
        """Server-side apply as a field manager of its own.

        A field of another manager is a `ConflictError`, unless the manager `takes_over`; a
        rehearsal changes nothing.
        """
        metadata = item["metadata"]
        query = {"fieldManager": manager, "force": str(takes_over).lower()}
        return self._json(
            "PATCH",
            resource.path(metadata.get("namespace"), metadata["name"]),
            body=item,
            query=query | ({"dryRun": "All"} if is_rehearsal else {}),
            content_type="application/apply-patch+yaml",
        )

    def serves(self, group_version: str) -> bool:
        """Whether the API serves a group and version, such as `serving.knative.dev/v1`."""
        try:
            self._json("GET", f"/apis/{group_version}")
        except NotFoundError:
            return False
        return True

    def kubelet_configuration(self, node: str) -> KubernetesObject:
        """Return what a node's kubelet runs with; the user needs to get nodes/proxy."""
        response = self._json("GET", f"/api/v1/nodes/{quote(node, safe='')}/proxy/configz")
        configuration = response.get("kubeletconfig")
        return configuration if isinstance(configuration, dict) else {}

    def follow(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """Yield a plain-text response in pieces, until the server ends it."""
        response = self._transport.send(
            "GET",
            path,
            query=query,
            headers={"Accept": "*/*"},
            read_seconds=None,
            in_pieces=True,
        )
        try:
            with translated(object_of(path)):
                while piece := response.read1():
                    yield piece
        finally:
            response.release_conn()
