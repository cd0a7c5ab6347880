"""Requests to any Kubernetes API, with all that an answer says."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_TYPES = {"POST": "application/json", "PUT": "application/json"}
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """Status code, body and warnings."""

    code: int
    body: dict[str, Any]
    warnings: list[str]

    @property
    def faults(self) -> set[tuple[str, str, str]]:
        """Field, reason and message of each cause."""
        causes = (self.body.get("details") or {}).get("causes") or ()
        return {(each["field"], each["reason"], each["message"]) for each in causes}


class RawApi:
    """One namespace, as the owner of a kubeconfig reaches it."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._url = cluster["server"]
        self._token = user.get("token") or Path(user["tokenFile"]).read_text().strip()
        authority = cluster.get("certificate-authority-data")
        self._context = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(authority).decode() if authority else None,
        )
        self.namespace = namespace

    def send(self, method: str, path: str, body: object, content_type: str = "") -> Answer:
        """Send JSON below the namespace's `path` of an API group."""
        group, _, rest = path.partition("/")
        versions = {"knative-lambda.dev": "v1alpha1"}
        root = f"/apis/{group}/{versions.get(group, 'v1')}/namespaces/{self.namespace}/{rest}"
        return self.send_to(method, root, body, content_type)

    def send_to(self, method: str, path: str, body: object, content_type: str = "") -> Answer:
        """Send JSON to a path."""
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": content_type or _TYPES[method],
            },
        )
        try:
            answer = urllib.request.urlopen(request, context=self._context, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            warnings = answer.headers.get_all("Warning") or []
            return Answer(answer.status, json.load(answer), warnings)
