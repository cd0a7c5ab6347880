"""Records of a data folder that is older than the rules: they can be passed over and removed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from knative_lambda.adapters.kubernetes.client import LAMBDA_FUNCTIONS, KubernetesApi
from knative_lambda.adapters.kubernetes.functions import KubernetesLambdaFunctions
from knative_lambda.domain.errors import UnreadableRecordError
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.domain.names import FunctionId
from tests.helpers.lambda_function_specs import MINIMAL, with_env
from tests.helpers.raw_api import MERGE, RawApi

BROKEN = {
    "no spec": {},
    "a spec that is a list": {"spec": []},
    "a spec without a runtime": {"spec": {"source": {"uri": "s3://b/k"}}},
    "a time that is true": {"spec": MINIMAL | {"timeoutSeconds": True}},
    "an unknown field": {"spec": MINIMAL | {"foo": 1}},
    "a request above its limit": {
        "spec": MINIMAL | {"resources": {"limits": {"memory": "32Mi"}}},
    },
    "a status that cannot be": {"spec": MINIMAL, "status": {"phase": "Odd"}},
}


@pytest.fixture
def api(running_api):
    api = RawApi(running_api.kubeconfig, f"before-{uuid.uuid4().hex[:10]}")
    api.send_to("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}})
    return api


@pytest.fixture
def older(running_api, api):
    """A record that was right when it was stored, and names a Secret that is reserved by now."""
    reference = {"name": "knative-lambda-pull", "key": "k"}
    spec = with_env({"name": "A", "secretKeyRef": reference})
    metadata = {"namespace": api.namespace, "name": "older"}
    kind = {"apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction"}
    running_api.call(
        running_api.objects.create, "LambdaFunction", {**kind, "metadata": metadata, "spec": spec}
    )
    return FunctionId(api.namespace, "older")


@pytest.fixture
def records(running_api):
    kubernetes = KubernetesApi(kubeconfig=str(running_api.kubeconfig))
    yield KubernetesLambdaFunctions(api=kubernetes)
    kubernetes.close()


@pytest.fixture(params=BROKEN)
def broken(request, running_api, api):
    """A record that was stored when nothing was checked, beside one that is as it should be."""
    kind = {"apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction"}
    for name, parts in (("broken", BROKEN[request.param]), ("healthy", {"spec": MINIMAL})):
        metadata = {"namespace": api.namespace, "name": name}
        running_api.call(
            running_api.objects.create, "LambdaFunction", {**kind, "metadata": metadata, **parts}
        )
    return FunctionId(api.namespace, "broken")


def test_it_is_told_and_hides_no_other_one(records, broken):
    with pytest.raises(UnreadableRecordError, match="broken cannot be read"):
        records.get(broken)
    listed = [each.id for each in records.list() if each.id.namespace == broken.namespace]
    assert listed == [FunctionId(broken.namespace, "healthy")]


def test_it_is_discarded_and_no_other_one(records, broken):
    records.discard(FunctionId(broken.namespace, "healthy"))
    records.discard(broken)
    records.discard(broken)
    left = [
        item["metadata"]["name"] for item in records.api.list(LAMBDA_FUNCTIONS, broken.namespace)
    ]
    assert left == ["healthy"]


def test_why_it_cannot_be_read_is_told_in_its_status_once(records, broken):
    records.refuse(broken, datetime.now(UTC))
    told = records.api.get(LAMBDA_FUNCTIONS, broken.namespace, broken.name)
    conditions = {each["type"]: each for each in told["status"]["conditions"]}
    assert {name: each["status"] for name, each in conditions.items() if name != "SourceReady"} == {
        "Ready": "False",
        "Stalled": "True",
    }
    assert "broken cannot be read" in conditions["Ready"]["message"]
    assert told["status"]["observedGeneration"] == told["metadata"]["generation"]
    records.refuse(broken, datetime.now(UTC) + timedelta(hours=1))
    assert records.api.get(LAMBDA_FUNCTIONS, broken.namespace, broken.name) == told


def test_it_can_be_labelled_and_have_its_status_written(api, broken):
    path = f"knative-lambda.dev/lambdafunctions/{broken.name}"
    labels = {"metadata": {"labels": {"a": "b"}, "finalizers": ["example.com/a"]}}
    assert api.send("PATCH", path, labels, MERGE).code == 200
    status = {"status": {"phase": "Failed"}}
    assert api.send("PATCH", f"{path}/status", status, MERGE).code == 200
    assert api.send("PATCH", path, {"metadata": {"finalizers": None}}, MERGE).code == 200


def test_a_record_that_names_a_reserved_secret_still_is_read_written_and_deleted(records, older):
    record = records.get(older)
    assert record.spec.env[0].secret_key_ref.name == "knative-lambda-pull"
    assert older in [each.id for each in records.list()]
    status = record.status.model_copy(update={"phase": Phase.READY})
    written = records.replace_status(record.model_copy(update={"status": status}))
    assert written.status.phase is Phase.READY
    records.delete(written)
    assert records.get(older) is None


def test_it_is_mended_by_what_is_right(api, broken):
    path = f"knative-lambda.dev/lambdafunctions/{broken.name}"
    right = [{"op": "add", "path": "/spec", "value": MINIMAL}]
    response = api.send("PATCH", path, right, "application/json-patch+json")
    assert response.code == 200, response.body["message"]
    assert response.body["spec"]["timeoutSeconds"] == 60
