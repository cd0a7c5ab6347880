"""Kubernetes as those see it who call us: requests carry their token, and nothing of ours.

No kubeconfig's or account's credential is read for it. Responses are read up to a limit, since
whoever may write a record decides how large it is.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS, PODS, Resource
from knative_lambda.adapters.kubernetes.connection import (
    Connection,
    bearer,
    no_credentials,
    server_of,
)
from knative_lambda.adapters.kubernetes.errors import (
    NotFoundError,
    cause_in_words,
    object_of,
    translated,
)
from knative_lambda.adapters.kubernetes.transport import Transport
from knative_lambda.domain.caller import Page, PodLog
from knative_lambda.domain.errors import PlatformUnavailableError, RejectedByPlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3 import BaseHTTPResponse

    from knative_lambda.adapters.kubernetes.client import KubernetesObject
    from knative_lambda.domain.caller import Right
    from knative_lambda.domain.names import FunctionId

AUTHORITY = Path("/var/run/secrets/kubernetes-api/ca.crt")
"""Of the ConfigMap `kube-root-ca.crt`: the Pod has no token, and so no folder of an account."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_AUTHORITY_KEYS = {"ca_certs", "ca_cert_data"}
_READ_SECONDS = 15
_PODS_BYTES = 8 * 1024 * 1024
# Small values, such as labels, take thirty times that in memory, for each of eight callers.
_RECORDS_BYTES = 1024 * 1024
# A record and its status have at most 1.5 MiB each in etcd.
_OBJECT_BYTES = 4 * 1024 * 1024
_CHUNK = 64 * 1024
# Of a log nobody reads more than that, whatever a single line's length.
_LOG_BYTES_READ = 16 * 1024 * 1024
_CONTAINER = "user-container"
_SERVICE = "serving.knative.dev/service"
_ENDED = {"Succeeded", "Failed"}
_MOST_PODS = 10


class _TooMuchError(Exception):
    """A response has more bytes than may be held."""


@dataclass(frozen=True)
class KubernetesCallers:
    """Finds the API by KUBECONFIG where that is set, else as a Pod does; connections are shared."""

    kubeconfig: str | None = None
    authority: Path = AUTHORITY

    def with_token(self, token: str) -> CallersKubernetes:
        """Return the API as the holder of this token sees it."""
        return CallersKubernetes(self._transport.authorized_by(partial(bearer, token)))

    @cached_property
    def _transport(self) -> Transport:
        return Transport(_server(self.kubeconfig, self.authority))


class CallersKubernetes:
    """`CallersCluster` for one token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def lambdas(
        self, namespace: str, *, limit: int, after: str | None, selector: str | None
    ) -> Page:
        """Return a page of records: fewer than `limit` where they are large."""
        query = {"limit": str(limit)}
        query |= {"continue": after} if after else {}
        query |= {"labelSelector": selector} if selector else {}
        path = LAMBDA_FUNCTIONS.path(namespace)
        while True:
            try:
                max_bytes = _RECORDS_BYTES if limit > 1 else _OBJECT_BYTES
                page = self._json("GET", path, query=query, max_bytes=max_bytes)
            except _TooMuchError as error:
                if limit == 1:
                    raise _unusable(path) from error
                limit //= 2
                query["limit"] = str(limit)
                continue
            after = (page.get("metadata") or {}).get("continue") or None
            return Page(items=page.get("items") or [], after=after)

    def find(self, function: FunctionId) -> KubernetesObject | None:
        """Return a record; None where there is none."""
        try:
            return self._object(LAMBDA_FUNCTIONS, function.namespace, function.name)
        except NotFoundError:
            return None

    def may(self, namespace: str, right: Right) -> bool:
        """Whether the caller has this right, as the API's own authorizer sees it."""
        attributes = {"namespace": namespace, "verb": right.verb, "group": right.group}
        attributes |= {"resource": right.resource, "subresource": right.subresource}
        attributes |= {"name": right.name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self._json("POST", _REVIEWS, body=review, max_bytes=_OBJECT_BYTES)
        return (answer.get("status") or {}).get("allowed") is True

    def logs(
        self, function: FunctionId, *, lines: int, timestamps: bool, max_bytes: int
    ) -> list[PodLog]:
        """Return the ends of the logs of the Pods that run, oldest Pod first.

        Of the newest Pod too if it failed or none runs; of at most ten, and at most `max_bytes`
        of all of them.
        """
        pods = self._pods(function)
        share = max_bytes // max(1, len(pods))
        query = {"container": _CONTAINER, "tailLines": str(lines)}
        query |= {"timestamps": "true"} if timestamps else {}
        found = []
        for name in pods:
            path = PODS.path(function.namespace, name, "log")
            try:
                text = self._tail(path, query, share)
            except (NotFoundError, RejectedByPlatformError):
                continue  # gone since, or not begun
            found.append(PodLog(pod=name, text=text))
        return found

    def _pods(self, function: FunctionId) -> list[str]:
        """Return the names of those whose logs are of interest."""
        query = {"labelSelector": f"{_SERVICE}={function.name}", "limit": "500"}
        path = PODS.path(function.namespace)
        try:
            found = self._json("GET", path, query=query, max_bytes=_PODS_BYTES).get("items") or []
        except _TooMuchError as error:
            raise _unusable(path) from error
        pods = sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        chosen = [pod for pod in pods if _phase(pod) not in _ENDED]
        # A new revision that cannot start, beside those that still serve.
        if pods and pods[-1] not in chosen and (not chosen or _phase(pods[-1]) == "Failed"):
            chosen.append(pods[-1])
        return [pod["metadata"]["name"] for pod in chosen[-_MOST_PODS:]]

    def _tail(self, path: str, query: Mapping[str, str], max_bytes: int) -> str:
        """Return the end of a log: `limitBytes` would cut it off at that end."""
        query = {**query, "limitBytes": str(_LOG_BYTES_READ)}
        tail = bytearray()
        response = self._send("GET", path, query=query)
        for chunk in _chunks(response, path):
            tail += chunk
            del tail[:-max_bytes]
        return tail.decode(errors="replace")

    def _object(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        path = resource.path(namespace, name)
        try:
            return self._json("GET", path, max_bytes=_OBJECT_BYTES)
        except _TooMuchError as error:
            raise _unusable(path) from error

    def _json(
        self,
        method: str,
        path: str,
        *,
        max_bytes: int,
        query: Mapping[str, str] | None = None,
        body: KubernetesObject | None = None,
    ) -> dict[str, Any]:
        content = bytearray()
        for chunk in _chunks(self._send(method, path, query=query, body=body), path):
            content += chunk
            if len(content) > max_bytes:
                raise _TooMuchError
        with translated(object_of(path)):
            found = json.loads(content)
        if not isinstance(found, dict):
            raise _unusable(path)
        return found

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: KubernetesObject | None = None,
    ) -> BaseHTTPResponse:
        return self._transport.send(
            method,
            path,
            query=query,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body).encode(),
            read_seconds=_READ_SECONDS,
            in_pieces=True,
        )


def _chunks(response: BaseHTTPResponse, path: str) -> Iterator[bytes]:
    """Yield the content; a connection whose response was not read to its end is closed."""
    try:
        with translated(object_of(path)):
            yield from response.stream(_CHUNK)
    except GeneratorExit:
        response.close()
        raise
    finally:
        response.release_conn()


def _phase(pod: KubernetesObject) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def _unusable(path: str) -> PlatformUnavailableError:
    return PlatformUnavailableError(
        f"the Kubernetes API gave no usable response about {object_of(path)}"
    )


def _server(kubeconfig: str | None, authority: Path) -> Connection:
    """Return where the API is and how it is recognised; whatever proves who we are is left out."""
    environment = os.environ  # noqa: TID251  # how Kubernetes and its users say so
    try:
        if not (named := kubeconfig or environment.get("KUBECONFIG")):
            return Connection(server=server_of(environment), tls={"ca_certs": str(authority)})
        from knative_lambda.adapters.kubernetes.kubeconfig import (  # noqa: PLC0415  # see client.py
            kubeconfig_connection,
        )

        found = kubeconfig_connection(named, None)
    except (HTTPError, OSError, KeyError, ValueError, TypeError) as error:
        raise PlatformUnavailableError(
            "it is not known where the Kubernetes API is: check KUBECONFIG"
            f" ({cause_in_words(error)})"
        ) from error
    kept = {key: value for key, value in found.tls.items() if key in _AUTHORITY_KEYS}
    return replace(found, tls=kept, authorization=no_credentials)
