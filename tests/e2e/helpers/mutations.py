"""Changes build Jobs, and Pods of lambdas, on their way into the cluster: what goes wrong is real.

A mutating webhook on this machine, to which the API server sends each of them that is made.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.helpers.cluster import BUILDS, TENANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.helpers.cluster import Cluster

    Change = Callable[[dict[str, Any]], None]

_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_NAMES = ("knative-lambda.dev/function-name", "serving.knative.dev/service")


class Mutations:
    """`of(name, change)`: `change` is given each new object of that lambda, as a dictionary."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}

    def of(self, name: str, change: Change) -> None:
        self._changes[name] = change

    def review(self, review: dict[str, Any]) -> dict[str, Any]:
        """Answer an AdmissionReview with the object as it is to be."""
        asked = review["request"]
        response: dict[str, Any] = {"uid": asked["uid"], "allowed": True}
        made = asked["object"]
        said = made["metadata"].get("labels") or {}
        change = next(
            (self._changes[said[n]] for n in _NAMES if said.get(n) in self._changes), None
        )
        if change is not None:
            change(made)
            patch = [{"op": "replace", "path": "/spec", "value": made["spec"]}]
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
        return {**review, "request": None, "response": response}


def mutate_jobs(cluster: Cluster, address: str) -> AbstractContextManager[Mutations]:
    """Change build Jobs; the address is one of this machine that the API server reaches."""
    return _mutate(cluster, address, BUILDS, apiGroups=["batch"], resources=["jobs"])


def mutate_pods(cluster: Cluster, address: str) -> AbstractContextManager[Mutations]:
    """Change Pods of lambdas; the address is one of this machine that the API server reaches."""
    return _mutate(cluster, address, TENANT, apiGroups=[""], resources=["pods"])


@contextlib.contextmanager
def _mutate(
    cluster: Cluster, address: str, namespace: str, **rule: list[str]
) -> Iterator[Mutations]:
    mutations = Mutations()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps(mutations.review(json.loads(body))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None: ...

    certificate, key = _certificate(address)
    with ThreadingHTTPServer((address, 0), Handler) as server:
        server.daemon_threads = True
        server.socket = _context(certificate, key).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"https://{address}:{server.server_address[1]}/"
        (resource,) = rule["resources"]
        configuration = _configuration(url, certificate, resource, namespace, rule)
        path = f"{_CONFIGURATIONS}/{configuration['metadata']['name']}"
        cluster.api.apply(path, configuration)
        try:
            yield mutations
        finally:
            cluster.api.delete(path)
            server.shutdown()
            thread.join()


def _configuration(
    url: str, certificate: bytes, resource: str, namespace: str, rule: dict[str, list[str]]
) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"mutations-of-{resource}"},
        "webhooks": [
            {
                "name": f"{resource}.tests.knative-lambda.dev",
                "clientConfig": {"url": url, "caBundle": base64.b64encode(certificate).decode()},
                "rules": [{**rule, "apiVersions": ["v1"], "operations": ["CREATE"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 5,
                # Without its server it must not stand in anybody's way.
                "failurePolicy": "Ignore",
            }
        ],
    }


def _certificate(address: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mutations")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(pem), private


def _context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as both:
        both.write(certificate + key)
        both.flush()
        context.load_cert_chain(both.name)
    return context
