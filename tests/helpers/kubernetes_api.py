"""The Kubernetes API of the cluster under test, as its administrator sees it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import yaml

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass
class KubernetesApi:
    """Plain requests by certificate or token, through a kubeconfig with embedded credentials.

    Not the project's own client, which is what is tested.
    """

    kubeconfig: Path
    _context: ssl.SSLContext = field(init=False)
    _host: str = field(init=False)
    _token: str = field(init=False)

    def __post_init__(self) -> None:
        document = yaml.safe_load(self.kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._host = urlsplit(cluster["server"]).netloc
        self._token = user.get("token", "")
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=authority)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as both:
                for part in ("client-certificate-data", "client-key-data"):
                    both.write(base64.b64decode(user[part]))
                both.flush()
                self._context.load_cert_chain(both.name)

    def request(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json"
    ) -> Answer:
        """Send one request; text is sent as it is."""
        headers = {"Content-Type": content_type}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(
            self._host, context=self._context, timeout=TIMEOUT_SECONDS
        )
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> dict[str, Any] | None:
        """One object, or None where there is none."""
        answer = self.request("GET", path)
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.data
        return found

    def list(self, path: str, **labels: str) -> list[dict[str, Any]]:
        """All objects at a path, by labels."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        query = f"?{urlencode({'labelSelector': selector})}" if selector else ""
        answer = wait_for(lambda: self._served(path + query))
        assert answer.status == 200, answer
        items: list[dict[str, Any]] = answer.data["items"]
        return items

    def _served(self, path: str) -> Answer | None:
        """An answer; None while the API says of a kind that is new: not yet."""
        answer = self.request("GET", path)
        return None if answer.status == 429 else answer

    def apply(self, path: str, item: object) -> dict[str, Any]:
        """Server-side apply in the name of the tests."""
        query = urlencode({"fieldManager": "tests", "force": "true"})
        answer = self.request(
            "PATCH", f"{path}?{query}", item, content_type="application/apply-patch+yaml"
        )
        assert answer.status in {200, 201}, answer
        applied: dict[str, Any] = answer.data
        return applied

    def merge(self, path: str, patch: object) -> None:
        """Change what is there."""
        answer = self.request("PATCH", path, patch, content_type="application/merge-patch+json")
        assert answer.status == 200, answer

    def delete(self, path: str, *, at_once: bool = False) -> None:
        """Remove an object; `at_once` does not wait for its processes to end."""
        answer = self.request("DELETE", path + ("?gracePeriodSeconds=0" if at_once else ""))
        assert answer.status in {200, 202, 404}, answer

    def log(self, namespace: str, pod: str, container: str) -> str:
        """What a container wrote so far; nothing of one that is gone or not yet there."""
        query = urlencode({"container": container})
        path = f"/api/v1/namespaces/{namespace}/pods/{quote(pod)}/log?{query}"
        answer = self.request("GET", path)
        return answer.body.decode(errors="replace") if answer.status == 200 else ""

    def kinds(self) -> Iterator[tuple[str, str]]:
        """Every kind that can be listed, with the path of all its objects."""
        groups = self.request("GET", "/apis").data["groups"]
        versions = [f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups]
        for version in ("/api/v1", *versions):
            for resource in self.request("GET", version).data["resources"]:
                if "/" not in resource["name"] and "list" in resource["verbs"]:
                    yield resource["kind"], f"{version}/{resource['name']}"
