import pytest

from knative_lambda.manifests import labels
from knative_lambda.manifests.service import lambda_service
from tests.helpers.deployments import IMAGE, deployment

SECRET = {"name": "A", "secretKeyRef": {"name": "s", "key": "k"}}
CONFIG = {"name": "B", "configMapKeyRef": {"name": "c", "key": "k", "optional": True}}


def template(**changes):
    return lambda_service(deployment(**changes), (".mjs", ".py"))["spec"]["template"]


def container(**changes):
    (found,) = template(**changes)["spec"]["containers"]
    return found


def variables(**changes):
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container(**changes)["env"]}


def test_the_same_deployment_is_the_same_service():
    assert lambda_service(deployment()) == lambda_service(deployment())


def test_a_generation_that_changes_nothing_of_the_function_makes_no_revision():
    assert template(generation=1) == template(generation=2)
    assert lambda_service(deployment(generation=2))["metadata"]["annotations"] == {
        labels.GENERATION: "2",
        labels.OWNER_UID: "uid-1",
    }


def test_another_image_makes_a_revision():
    assert template() != template(image=IMAGE.replace("d", "e"))


def test_the_image_is_named_by_digest_and_nothing_else():
    assert container()["image"] == IMAGE
    assert "imagePullPolicy" not in container()


def test_the_service_goes_with_its_record():
    metadata = lambda_service(deployment())["metadata"]
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("LambdaFunction", "hello", "uid-1")
    assert (metadata["namespace"], metadata["name"]) == ("default", "hello")
    assert metadata["labels"] == labels.function_labels(deployment().function)


def test_the_runtime_is_told_what_it_serves():
    assert variables(timeoutSeconds=5, scale={"concurrency": 3}, signature="http") == {
        "FUNCTION_NAME": "default/hello",
        "FUNCTION_SIGNATURE": "http",
        "FUNCTION_TIMEOUT_SECONDS": "5",
        "FUNCTION_CONCURRENCY": "3",
    }


@pytest.mark.parametrize(
    ("fields", "handler"),
    [
        ({"handler": "app.main"}, "app.main"),
        ({"source": {"uri": "s3://b/a/greet.py"}}, "greet.handler"),
        ({"source": {"uri": "s3://b/greet.mjs"}}, "greet.handler"),
        ({"source": {"uri": "s3://b/greet.py"}, "handler": "greet.hi"}, "greet.hi"),
        ({"source": {"uri": "s3://b/code.zip"}}, None),
        ({"source": {"uri": "s3://b/folder/"}}, None),
        ({"source": {"uri": "s3://b/py"}}, None),
        ({"source": {"uri": "git+https://h/a/b@main#greet.py"}}, "greet.handler"),
        ({"source": {"uri": "git+https://h/a/b#src/greet.mjs"}}, "greet.handler"),
        ({"source": {"uri": "git+https://h/a/b@main#src"}}, None),
        ({"source": {"uri": "git+https://h/vercel/next.js"}}, None),
        ({"source": {"uri": "https://h/a.py", "sha256": "a" * 64}}, None),
    ],
)
def test_the_handler_is_the_requested_one_or_that_of_a_single_file(fields, handler):
    assert variables(**fields).get("FUNCTION_HANDLER") == handler


def test_variables_of_all_origins_come_after_the_platforms():
    made = variables(env=[SECRET, CONFIG, {"name": "C", "value": ""}])
    assert list(made)[-3:] == ["A", "B", "C"]
    assert made["A"] == {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}
    assert made["B"] == {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}
    assert made["C"] == ""


def test_scale_timeout_and_resources_are_the_requested_ones():
    made = template(
        scale={"min": 1, "max": 2, "target": 3, "concurrency": 4},
        timeoutSeconds=7,
        resources={"limits": {"memory": "1Gi"}},
    )
    annotations = made["metadata"]["annotations"]
    prefix = "autoscaling.knative.dev"
    assert [annotations[f"{prefix}/{key}"] for key in ("min-scale", "max-scale", "target")] == [
        "1",
        "2",
        "3",
    ]
    assert made["spec"]["containerConcurrency"] == 4
    assert made["spec"]["timeoutSeconds"] == 7
    resources = made["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"memory": "1Gi"}


BURST_CAPACITY = "autoscaling.knative.dev/target-burst-capacity"


@pytest.mark.parametrize("capacity", [-1, 0, 20, 100_000])
def test_the_burst_capacity_is_the_requested_one(capacity):
    annotations = template(scale={"burstCapacity": capacity})["metadata"]["annotations"]
    assert annotations[BURST_CAPACITY] == str(capacity)


@pytest.mark.parametrize("concurrency", [5, 10, 1000])
def test_requests_go_straight_to_instances_that_hold_a_burst_of_fifty(concurrency):
    annotations = template(scale={"concurrency": concurrency})["metadata"]["annotations"]
    assert annotations[BURST_CAPACITY] == "0"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_instances_that_cannot_hold_a_burst_of_fifty_keep_knatives_buffer(concurrency):
    annotations = template(scale={"concurrency": concurrency})["metadata"]["annotations"]
    assert BURST_CAPACITY not in annotations


def test_a_lambda_keeps_to_pod_security_restricted_and_has_no_token():
    context = container()["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert template()["spec"]["automountServiceAccountToken"] is False


def test_a_lambda_is_ready_when_it_says_so():
    assert container()["readinessProbe"] == {"httpGet": {"path": "/health/readiness"}}


@pytest.mark.parametrize("timeout", [1, 60, 599, 600])
def test_a_lambda_that_only_a_restart_can_help_is_restarted(timeout):
    probe = container(timeoutSeconds=timeout)["livenessProbe"]
    assert probe["httpGet"] == {"path": "/health/liveness"}
    # One call that keeps the event loop to itself for all of its time is no reason to restart:
    # the probes that it can make fail are those that begin meanwhile, and one that waits already.
    fail_meanwhile = timeout // probe["periodSeconds"] + 1
    assert probe["failureThreshold"] == fail_meanwhile + 1
    assert probe["timeoutSeconds"] == probe["periodSeconds"]


def test_a_lambda_has_time_to_start_before_it_is_asked_whether_it_lives():
    assert container()["livenessProbe"]["initialDelaySeconds"] == 120


def test_a_lambda_can_write_temporary_files_and_nothing_else():
    spec = template()["spec"]
    (volume,) = spec["volumes"]
    assert volume == {"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}
    assert container()["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
