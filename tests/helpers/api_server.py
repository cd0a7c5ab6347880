"""A kube-apiserver with its etcd on loopback, from the binaries that the testbed has built."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.helpers.kubeconfigs import write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPOSITORY = Path(__file__).parents[2]
KINDS = (
    "knative-lambda.dev/v1alpha1/lambdafunctions",
    "serving.knative.dev/v1/services",
    "serving.knative.dev/v1/revisions",
    "eventing.knative.dev/v1/triggers",
)
_START_SECONDS = 90
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def testbed_file(folder: str, path: str) -> Path | None:
    """A file in one of the testbed's caches; None where its present sources were not built yet."""
    script = f"source testbed/settings.sh; {folder}"
    answer = subprocess.run(
        ["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    file = Path(answer.stdout.strip()) / path
    return file if answer.returncode == 0 and file.is_file() else None


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """The API as seen by an administrator."""

    url: str
    token: str
    kubectl: str
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """How the administrator reaches it."""
        return self.folder / "admin.kubeconfig"

    @property
    def certificate(self) -> Path:
        """What its TLS is checked against."""
        return self.folder / "certificates" / "apiserver.crt"

    def kubeconfig_of(self, account: str) -> Path:
        """How the pods of a ServiceAccount of namespace knative-lambda reach it."""
        path = f"/api/v1/namespaces/knative-lambda/serviceaccounts/{account}/token"
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        status, answer = self.request("POST", path, {**kind, "spec": {}})
        assert status == 201, answer
        file = self.folder / f"{account}.kubeconfig"
        write_kubeconfig(
            file, self.url, token=answer["status"]["token"], certificate=self.certificate
        )
        return file

    def audited(self) -> list[dict[str, Any]]:
        """All requests so far."""
        lines = (self.folder / "audit.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl."""
        return subprocess.run(
            [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments],
            capture_output=True,
            text=True,
            check=check,
        )

    def request(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Status and object of one request."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            context = ssl.create_default_context(cafile=self.certificate)
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def await_kinds(self, *kinds: str) -> None:
        """Wait until these are served: a new kind is answered with 429 until its cache is there."""
        deadline = time.monotonic() + 60
        for kind in kinds:
            while self.request("GET", f"/apis/{kind}")[0] != HTTPStatus.OK:
                assert time.monotonic() < deadline, f"{kind} is never served"
                time.sleep(0.2)

    def may(self, user: str, groups: Sequence[str], attributes: dict[str, str]) -> bool:
        """Whether that user may do that, as the API's own authorizer sees it."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": list(groups), "resourceAttributes": attributes},
        }
        status, answer = self.request(
            "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review
        )
        assert status == 201, answer
        return bool(answer["status"]["allowed"])


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """What the testbed has built that an API server needs."""

    etcd: Path
    api_server: Path
    definitions: Path
    """Of Knative's kinds."""

    @classmethod
    def find(cls) -> Binaries | str:
        """Those of the present sources, or what is missing."""
        files = {
            "etcd": testbed_file("component_folder etcd", "go.etcd.io/etcd/server/v3"),
            "api_server": testbed_file(
                "component_folder kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"
            ),
            "definitions": testbed_file("manifests_folder", "1-definitions.yaml"),
        }
        missing = [name for name, file in files.items() if file is None]
        if missing:
            return f"{', '.join(missing)} not built on this machine; `make cluster` does (root)"
        return cls(**files)


@contextmanager
def running_api_server(
    etcd: Path, api_server: Path, kubectl: str, folder: Path, *options: str
) -> Iterator[ApiServer]:
    """Start both, wait until they answer, and end them; `options` are of kube-apiserver."""
    client_port, peer_port, port = _free_ports(3)
    token = secrets.token_hex(16)
    etcd_url = f"http://127.0.0.1:{client_port}"
    with ExitStack() as stack:
        stack.enter_context(_running(_etcd(etcd, folder, etcd_url, peer_port), folder / "etcd.log"))
        log = folder / "kube-apiserver.log"
        arguments = [*_api_server(api_server, folder, etcd_url, port, token), *options]
        process = stack.enter_context(_running(arguments, log))
        url = f"https://127.0.0.1:{port}"
        server = ApiServer(url=url, token=token, kubectl=kubectl, folder=folder)
        write_kubeconfig(server.kubeconfig, url, token=token, certificate=server.certificate)
        _wait(server, process, log)
        yield server


def _etcd(program: Path, folder: Path, url: str, peer_port: int) -> list[str]:
    peer = f"http://127.0.0.1:{peer_port}"
    return [
        *(str(program), "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync"),
        *("--listen-client-urls", url, "--advertise-client-urls", url),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", f"default={peer}", "--log-level", "warn"),
    ]


def _api_server(program: Path, folder: Path, etcd: str, port: int, token: str) -> list[str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_file, tokens = folder / "service-accounts.key", folder / "tokens.csv"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(_AUDIT_POLICY))
    tokens.write_text(f'{token},admin,admin,"system:masters"\n')
    return [
        *(str(program), "--etcd-servers", etcd, "--cert-dir", str(folder / "certificates")),
        *("--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"),
        *("--secure-port", str(port), "--token-auth-file", str(tokens)),
        *("--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/24"),
        *("--service-account-issuer", "https://kubernetes.default.svc"),
        *("--service-account-key-file", str(key_file)),
        *("--service-account-signing-key-file", str(key_file)),
        *("--audit-policy-file", str(policy), "--audit-log-path", str(folder / "audit.log")),
        # The endpoints of the Service "kubernetes" need not be there.
        *("--endpoint-reconciler-type", "none"),
    ]


@contextmanager
def _running(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            # It would wait a minute for its watchers.
            process.kill()
            process.wait()


def _wait(server: ApiServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.request("GET", "/api/v1/namespaces/default")[0] == 200:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.2)
    sys.stderr.write(log.read_text()[-4000:])
    raise RuntimeError(f"kube-apiserver does not answer (exit code {process.poll()})")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
