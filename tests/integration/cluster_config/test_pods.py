"""What kind of Pod may run where, as a real API server admits them."""

from __future__ import annotations

import pytest

from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.storage import Upload
from knative_lambda.manifests.build_job import build_job
from knative_lambda.manifests.service import lambda_service
from tests.helpers.control_plane import HELLO
from tests.helpers.deployments import deployment
from tests.integration.cluster_config.helpers.lambda_lifecycles import BUILDS, OPTIONS
from tests.integration.cluster_config.helpers.quotas import set_quota

pytestmark = pytest.mark.xdist_group("api-server")

ORDER = BuildOrder(
    function=HELLO,
    build_id="b" * 64,
    request_id="1",
    runtime="python3.11",
    context_url="https://storage.example/context",
    context_sha256="c" * 64,
    upload=Upload(url="https://storage.example/packages", fields=None),
)


def pod(**spec):
    template = build_job(ORDER, OPTIONS)["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "build", "labels": template["metadata"]["labels"]},
        "spec": template["spec"] | spec,
    }


def pod_of_a_lambda():
    """What Knative makes of its template, less the queue-proxy."""
    template = lambda_service(deployment())["spec"]["template"]
    spec = dict(template["spec"])
    for not_of_pods in ("containerConcurrency", "timeoutSeconds"):
        del spec[not_of_pods]
    (container,) = spec["containers"]
    probes = ("livenessProbe", "readinessProbe")
    ports = {name: container[name]["httpGet"] | {"port": 8080} for name in probes}
    asked = {name: container[name] | {"httpGet": ports[name]} for name in probes}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "hello", "labels": template["metadata"]["labels"]},
        "spec": spec | {"containers": [container | asked]},
    }


@pytest.fixture
def create(installed):
    set_quota(installed)

    def send(wanted, namespace=BUILDS):
        path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
        return installed.request("POST", path, wanted)

    return send


def test_a_build_is_admitted_where_builds_run(create):
    status, answer = create(pod())
    assert status == 201, answer["message"]
    assert "serviceAccountToken" not in str(answer["spec"]["volumes"])


def test_a_lambda_is_admitted_where_its_tenant_is(create):
    status, answer = create(pod_of_a_lambda(), "default")
    assert status == 201, answer["message"]
    assert answer["spec"]["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}]


@pytest.mark.parametrize(
    ("namespace", "account"),
    [(BUILDS, "default"), ("default", "default"), ("knative-lambda", "delete")],
)
def test_a_pod_that_could_leave_its_sandbox_is_refused(create, namespace, account):
    status, answer = create(pod(hostNetwork=True, serviceAccountName=account), namespace)
    assert status == 403
    assert 'violates PodSecurity "restricted' in answer["message"]


def test_a_build_that_wants_too_much_is_refused(create):
    wanted = pod()
    wanted["spec"]["containers"][0]["resources"]["limits"]["memory"] = "3Gi"
    status, answer = create(wanted)
    assert status == 403
    assert "maximum memory usage per Container is 2Gi" in answer["message"]
