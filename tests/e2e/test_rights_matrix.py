"""Who may do what, seen on a cluster: the table in docs/SECURITY_MODEL.md is what was seen."""

from __future__ import annotations

import base64
import json
import ssl
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.helpers.cluster import CHECKOUT
from tests.helpers.http_client import request
from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.helpers.cluster import Cluster
    from tests.helpers.http_client import Answer

pytestmark = pytest.mark.timeout(600)

API_HOST = "api.knative-lambda.svc.cluster.local"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
HEADING = "| who | "
YES, NO, UNKNOWN = "yes", "no", "who?"


@dataclass
class Person:
    """Somebody with a token, or without."""

    cluster: Cluster
    token: str | None

    @property
    def _headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def kubernetes(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Answer:
        """Ask the API server, with no other identity."""
        config = yaml.safe_load(self.cluster.api.kubeconfig.read_text())
        server = config["clusters"][0]["cluster"]
        authority = base64.b64decode(server["certificate-authority-data"]).decode()
        return request(
            method,
            server["server"] + path,
            None if body is None else json.dumps(body).encode(),
            {**self._headers, "Content-Type": content_type},
            ssl.create_default_context(cadata=authority),
        )

    def api(self, method: str, path: str, body: object = None) -> Answer:
        """Ask the function api, by the gateway of the cluster's inside."""
        place = "/api/v1/namespaces/kourier-system/services/kourier-internal"
        gateway = self.cluster.api.get(place)
        assert gateway is not None
        return request(
            method,
            f"http://{gateway['spec']['clusterIP']}{path}",
            None if body is None else json.dumps(body).encode(),
            {**self._headers, "Host": API_HOST, "Content-Type": "application/json"},
        )


@dataclass
class Scene:
    """Two teams, one lambda of the first that runs, and people."""

    cluster: Cluster
    team: str
    people: dict[str, Person]
    build: str
    pod: str

    @property
    def records(self) -> str:
        return f"/apis/knative-lambda.dev/v1alpha1/namespaces/{self.team}/lambdafunctions"


def hello(team: str, name: str = "hello") -> dict[str, object]:
    files = {"main.py": "def handler(request):\n    return 'hello'\n", "requirements.txt": "h11\n"}
    return {
        "apiVersion": "knative-lambda.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": name, "namespace": team},
        "spec": {
            "runtime": "python3.11",
            "signature": "http",
            "scale": {"min": 1},
            "source": {"inline": files},
        },
    }


def token_of(cluster: Cluster, namespace: str, account: str) -> str:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    spec = {"expirationSeconds": 3600}
    answer = cluster.api.request("POST", path, {"spec": spec})
    assert answer.status == 201, answer
    token: str = answer.data["status"]["token"]
    return token


@pytest.fixture(scope="module")
def scene(cluster: Cluster) -> Iterator[Scene]:
    suffix = uuid.uuid4().hex[:8]
    home, a, b = (f"{name}-{suffix}" for name in ("people", "team-a", "team-b"))
    api = cluster.api
    assert api.request("POST", "/api/v1/namespaces", {"metadata": {"name": home}}).status == 201
    for name in ("admin", "ada", "alan", "bob"):
        account = {"metadata": {"name": name, "namespace": home}}
        path = f"/api/v1/namespaces/{home}/serviceaccounts"
        assert api.request("POST", path, account).status == 201
    subject = {"kind": "ServiceAccount", "name": "admin", "namespace": home}
    admin = {
        "metadata": {"name": f"admin-{suffix}"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [subject],
    }
    assert api.request("POST", f"{RBAC}/clusterrolebindings", admin).status == 201
    user = f"system:serviceaccount:{home}:"
    for team, rights in (
        (a, ("--edit-user", f"{user}ada", "--view-user", f"{user}alan")),
        (b, ("--edit-user", f"{user}bob")),
    ):
        done = cluster.kn_lambda("tenant", "add", team, *rights)
        assert done.returncode == 0, done.stderr
    people = {
        "admin": Person(cluster, token_of(cluster, home, "admin")),
        "team A, edit": Person(cluster, token_of(cluster, home, "ada")),
        "team A, view": Person(cluster, token_of(cluster, home, "alan")),
        "team B, edit": Person(cluster, token_of(cluster, home, "bob")),
        "account of a lambda of team A": Person(cluster, token_of(cluster, a, "default")),
        "anonymous": Person(cluster, None),
    }
    made = Scene(cluster, a, people, build="", pod="")
    applied = people["team A, edit"].kubernetes("POST", made.records, hello(a))
    assert applied.status == 201, applied
    made.build = wait_for(lambda: _ready_build(made), within=240)
    pods = api.list(f"/api/v1/namespaces/{a}/pods", **{"serving.knative.dev/service": "hello"})
    made.pod = pods[0]["metadata"]["name"]
    yield made
    for namespace in (a, b, home):
        api.delete(f"/api/v1/namespaces/{namespace}")
    api.delete(f"{RBAC}/clusterrolebindings/admin-{suffix}")
    for team in (a, b):
        place = f"{RBAC}/namespaces/knative-lambda/rolebindings/knative-lambda-settings-{team}"
        api.delete(place)


def _ready_build(scene: Scene) -> str:
    status = (scene.cluster.api.get(f"{scene.records}/hello") or {}).get("status") or {}
    # The log is kept a moment after the lambda is ready.
    is_whole = status.get("phase") == "Ready" and status["build"].get("logUri")
    return str(status["build"]["id"]) if is_whole else ""


def _apply(scene: Scene, person: Person) -> Answer:
    path = f"{scene.records}/new?fieldManager=matrix&dryRun=All"
    item = hello(scene.team, "new")
    return person.kubernetes("PATCH", path, item, "application/apply-patch+yaml")


def _change(scene: Scene, person: Person) -> Answer:
    path, change = f"{scene.records}/hello?dryRun=All", {"spec": {"timeoutSeconds": 7}}
    return person.kubernetes("PATCH", path, change, "application/merge-patch+json")


def _upload(scene: Scene, person: Person) -> Answer:
    wanted = {"name": "hello", "sha256": "a" * 64, "size": 1}
    return person.api("POST", f"/v1/namespaces/{scene.team}/uploads", wanted)


def _api(path: str) -> Callable[[Scene, Person], Answer]:
    def read(scene: Scene, person: Person) -> Answer:
        place = path.format(build=scene.build)
        return person.api("GET", f"/v1/namespaces/{scene.team}/lambdas{place}")

    return read


ACTIONS: dict[str, Callable[[Scene, Person], Answer]] = {
    "apply": _apply,
    "change": _change,
    "delete": lambda scene, person: person.kubernetes(
        "DELETE", f"{scene.records}/hello?dryRun=All"
    ),
    "write a status": lambda scene, person: person.kubernetes(
        "PATCH",
        f"{scene.records}/hello/status?dryRun=All",
        {"status": {"phase": "Failed"}},
        "application/merge-patch+json",
    ),
    "read": lambda scene, person: person.kubernetes("GET", f"{scene.records}/hello"),
    "logs": lambda scene, person: person.kubernetes(
        "GET", f"/api/v1/namespaces/{scene.team}/pods/{scene.pod}/log?container=user-container"
    ),
    "`api`: upload": _upload,
    "`api`: list": _api(""),
    "`api`: read": _api("/hello"),
    "`api`: logs": _api("/hello/logs"),
    "`api`: builds": _api("/hello/builds"),
    "`api`: build log": _api("/hello/builds/{build}/log"),
}


def seen_in(scene: Scene, action: str, person: Person) -> str:
    answer = ACTIONS[action](scene, person)
    words = {401: UNKNOWN, 403: NO, 200: YES, 201: YES}
    # Kubernetes knows who asks without a token: nobody.
    is_nobody = person.token is None and answer.status == 403
    assert answer.status in words, (action, answer)
    return UNKNOWN if is_nobody else words[answer.status]


def table_of(rows: dict[str, dict[str, str]]) -> str:
    lines = [f"{HEADING}{' | '.join(ACTIONS)} |", "|---" * (len(ACTIONS) + 1) + "|"]
    lines += [f"| {who} | {' | '.join(cells.values())} |" for who, cells in rows.items()]
    return "\n".join(lines)


def test_everybody_may_do_what_the_security_model_says(scene: Scene):
    seen = {
        who: {action: seen_in(scene, action, person) for action in ACTIONS}
        for who, person in scene.people.items()
    }
    print(table_of(seen))  # noqa: T201 # to paste it where it is compared
    text = (CHECKOUT / "docs" / "SECURITY_MODEL.md").read_text()
    begin = text.find(HEADING)
    assert begin != -1, table_of(seen)
    said = text[begin:].partition("\n\n")[0]
    assert said == table_of(seen)
