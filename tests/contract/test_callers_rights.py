"""Teams of a real Kubernetes API: each may do through the API what it may do in Kubernetes."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from knative_lambda.adapters.kubernetes.callers import KubernetesCallers
from knative_lambda.domain.build import log_key
from knative_lambda.domain.names import FunctionId
from knative_lambda.inbound.api.application import Application
from knative_lambda.inbound.api.operations import Services
from knative_lambda.use_cases.read_logs import ReadBuilds
from knative_lambda.use_cases.take_upload import TakeUpload
from tests.helpers.asgi import send
from tests.helpers.fakes import InMemoryObjectStorage
from tests.helpers.fakes_platform import FixedClock
from tests.helpers.lambda_function_specs import MINIMAL
from tests.helpers.raw_api import RawApi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("api-server"), pytest.mark.timeout(300)]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
BUILD, SHA = "b" * 64, "a" * 64
READ = [{"apiGroups": ["knative-lambda.dev"], "resources": ["lambdafunctions"]}]
VIEW = [
    READ[0] | {"verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
]
EDIT = [*VIEW, READ[0] | {"verbs": ["create", "update", "patch", "delete"]}]
# caller -> what is answered to: list, read, logs, builds, log of a build, upload
SEEN = {
    "team A edit": (200, 200, 200, 200, 200, 201),
    "team A view": (200, 200, 200, 200, 200, 403),
    "team B edit": (403, 403, 403, 403, 403, 403),
    "an account of a lambda": (403, 403, 403, 403, 403, 403),
    "a forged token": (401, 401, 401, 401, 401, 401),
    "anonymous": (401, 401, 401, 401, 401, 401),
}


@dataclass
class Teams:
    """Two namespaces, and who may do what in them."""

    kubeconfig: Path

    def __post_init__(self):
        self.api = RawApi(self.kubeconfig, "")
        suffix = uuid.uuid4().hex[:8]
        self.a, self.b = f"team-a-{suffix}", f"team-b-{suffix}"
        for namespace in (self.a, self.b):
            self.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        records = f"/apis/knative-lambda.dev/v1alpha1/namespaces/{self.a}/lambdafunctions"
        record = {"apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction"}
        self.post(records, record | {"metadata": {"name": "hello"}, "spec": MINIMAL})
        self.tokens = {
            "team A edit": self.account(self.a, "edit", EDIT),
            "team A view": self.account(self.a, "view", VIEW),
            "team B edit": self.account(self.b, "edit", EDIT),
            "an account of a lambda": self.account(self.a, "default", []),
            "a forged token": "e30.e30.c2ln",
            "anonymous": None,
        }

    def post(self, path, item):
        answer = self.api.send_to("POST", path, item)
        assert answer.code == 201, answer
        return answer.body

    def account(self, namespace, name, rules):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.post(accounts, {"metadata": {"name": name}})
        self.post(
            f"{RBAC}/namespaces/{namespace}/roles", {"metadata": {"name": name}, "rules": rules}
        )
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        self.post(f"{RBAC}/namespaces/{namespace}/rolebindings", binding)
        return self.post(f"{accounts}/{name}/token", {"spec": {}})["status"]["token"]


@pytest.fixture(scope="module")
def teams(real_api):
    return Teams(real_api[0])


@pytest.fixture
def app(teams, monkeypatch):
    storage, clock = InMemoryObjectStorage(), FixedClock()
    log = log_key(FunctionId(teams.a, "hello"), BUILD)
    storage.write(f"s3://own/{log}", io.BytesIO(b"installed\n"))
    services = Services(
        callers=KubernetesCallers(kubeconfig=str(teams.kubeconfig)),
        builds=ReadBuilds(storage=storage, storage_url="s3://own/"),
        uploads=TakeUpload(
            storage=storage, clock=clock, upload_url="s3://uploads/", max_bytes=1000
        ),
    )
    return Application(lambda: services)


async def statuses(app, namespace, token):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    root = f"/v1/namespaces/{namespace}"
    body = json.dumps({"name": "hello", "sha256": SHA, "size": 10}).encode()
    answers = [
        await send(app, "GET", f"{root}/lambdas{path}", headers)
        for path in ("", "/hello", "/hello/logs", "/hello/builds", f"/hello/builds/{BUILD}/log")
    ]
    answers.append(await send(app, "POST", f"{root}/uploads", headers, body))
    return tuple(answer.status for answer in answers)


@pytest.mark.parametrize("caller", SEEN)
async def test_a_caller_may_do_here_what_kubernetes_lets_it_do(teams, app, caller):
    assert await statuses(app, teams.a, teams.tokens[caller]) == SEEN[caller]


async def test_the_other_team_sees_its_own_namespace(teams, app):
    found = await statuses(app, teams.b, teams.tokens["team B edit"])
    # There is no lambda.
    assert found == (200, 404, 404, 404, 404, 201)
