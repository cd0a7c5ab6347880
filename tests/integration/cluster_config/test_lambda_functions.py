"""The custom resource on a real API server, with the rules that it alone can check."""

from __future__ import annotations

import copy

import pytest

from knative_lambda.domain.lambda_function import LambdaFunctionSpec
from tests.helpers.lambda_function_specs import FULL, MINIMAL, RIGHT, WRONG
from tests.helpers.waiting import wait_for
from tests.integration.cluster_config.helpers.records import record

pytestmark = pytest.mark.xdist_group("api-server")

PATH = "/apis/knative-lambda.dev/v1alpha1/namespaces/default/lambdafunctions"


def try_out(server, **fields):
    return server.request("POST", f"{PATH}?dryRun=All", record(**fields))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_spec_is_taken_and_read_back_the_same(installed, name):
    status, answer = try_out(installed, spec=RIGHT[name])
    assert status == 201, answer["message"]
    made = LambdaFunctionSpec.model_validate(RIGHT[name])
    assert LambdaFunctionSpec.model_validate(answer["spec"]) == made
    assert answer["spec"] == made.to_json()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_spec_is_refused(installed, name):
    status, answer = try_out(installed, spec=WRONG[name])
    assert status == 422, answer


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("two sources", "spec.source: Invalid value: needs exactly one of uri, inline, image"),
        ("an archive on a host without its hash", "needs sha256, because its uri begins with"),
        ("a hash of a repository", "has sha256, which is for a uri of one object"),
        ("a Secret for storage", "has secretRef, which is for a uri with https://"),
        ("a password in the URI of an archive", "has a uri with a user or a password"),
        ("a Secret of the platform for a source", "as the platform's own Secrets do"),
        ("a path outside", "not a relative path inside the source"),
        ("a reserved name", "spec.env[0].name: Invalid value: is set by the platform"),
        ("a variable with two origins", "exactly one of value, secretKeyRef, configMapKeyRef"),
        ("a minimum above the maximum", "min must not be above max"),
        ("an attribute that cannot be", "not the name of a CloudEvents attribute"),
    ],
)
def test_a_rule_says_what_is_wrong(installed, wrong, message):
    _, answer = try_out(installed, spec=WRONG[wrong])
    assert message in answer["message"].replace('"object": ', "").replace('"map": ', "")


@pytest.mark.parametrize(("name", "status"), [("a" * 45, 201), ("a" * 46, 422), ("1st", 422)])
def test_a_name_is_what_a_subject_can_be(installed, name, status):
    assert try_out(installed, name=name, spec=MINIMAL)[0] == status


def test_a_record_that_is_older_than_a_rule_still_gets_its_status_and_is_deleted(installed):
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    path = f"{definitions}/lambdafunctions.knative-lambda.dev"
    _, new = installed.request("GET", path)
    env = WRONG["a Secret of the platform"]["env"]
    old = copy.deepcopy(new)
    (version,) = old["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    rules = schema["env"]["items"]["x-kubernetes-validations"]
    rules[:] = [rule for rule in rules if "knative-lambda-" not in rule["rule"]]
    assert installed.request("PUT", path, old)[0] == 200
    spec = MINIMAL | {"env": env}
    wait_for(lambda: try_out(installed, spec=spec)[0] == 201)
    status, made = installed.request("POST", PATH, record("older", spec=spec))
    assert status == 201, made
    _, current = installed.request("GET", path)
    resource_version = current["metadata"]["resourceVersion"]
    new["metadata"]["resourceVersion"] = resource_version
    assert installed.request("PUT", path, new)[0] == 200
    wait_for(lambda: try_out(installed, spec=spec)[0] == 422)

    with_status = made | {"status": {"phase": "Ready"}}
    status, made = installed.request("PUT", f"{PATH}/older/status", with_status)
    assert status == 200, made
    changed = made | {"spec": made["spec"] | {"timeoutSeconds": 5}}
    status, answer = installed.request("PUT", f"{PATH}/older", changed)
    assert status == 200, answer
    assert installed.request("DELETE", f"{PATH}/older")[0] == 200


def test_spec_and_status_are_written_apart(installed):
    status, made = installed.request("POST", PATH, record("apart", spec=FULL))
    assert status == 201
    phase = {"phase": "Ready", "url": "http://u", "image": "i"}
    _, after_spec = installed.request("PUT", f"{PATH}/apart", made | {"status": phase})
    assert "status" not in after_spec
    changed = after_spec | {"status": phase, "spec": MINIMAL}
    _, after_status = installed.request("PUT", f"{PATH}/apart/status", changed)
    assert after_status["status"] == phase
    assert after_status["spec"] == after_spec["spec"]
    assert after_status["metadata"]["generation"] == 1


def test_a_condition_is_there_once(installed):
    _, made = installed.request("POST", PATH, record("conditions", spec=MINIMAL))
    condition = {
        "type": "BuildReady",
        "status": "True",
        "lastTransitionTime": "2026-01-31T14:00:01Z",
    }
    twice = made | {"status": {"conditions": [condition, condition]}}
    assert installed.request("PUT", f"{PATH}/conditions/status", twice)[0] == 422
    once = made | {"status": {"conditions": [condition]}}
    assert installed.request("PUT", f"{PATH}/conditions/status", once)[0] == 200


def test_people_see_how_their_lambdas_are(installed):
    _, made = installed.request("POST", PATH, record("seen", spec=MINIMAL))
    ready = {"type": "Ready", "status": "Unknown", "reason": "Queued"}
    now = {"lastTransitionTime": "2026-01-01T12:00:00Z"}
    status = {"phase": "Building", "url": "http://seen", "conditions": [ready | now]}
    installed.request("PUT", f"{PATH}/seen/status", made | {"status": status})
    shown = installed.run("get", "lf", "seen", "-n", "default").stdout.split()
    assert shown[:6] == ["NAME", "PHASE", "READY", "REASON", "URL", "AGE"]
    assert shown[6:11] == ["seen", "Building", "Unknown", "Queued", "http://seen"]
