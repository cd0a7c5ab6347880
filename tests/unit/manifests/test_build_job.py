import json
from dataclasses import replace
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildOrder, image_tag
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import BuildJobOptions, build_job
from lambda_builder.settings import FETCH_VARIABLES

SIGNED = "https://storage/key?X-Amz-Signature=hunter2"
ORDER = BuildOrder(
    function=FunctionId("default", "hello"),
    build_id="b" * 64,
    request_id="2026-01-01T12:00:00+00:00/event-1",
    runtime="python3.11",
    base_image_url="http://registry/base@sha256:" + "0" * 64,
    repository_url="http://registry/lambdas/default/hello",
    context_url=SIGNED,
    context_sha256="c" * 64,
)
OPTIONS = BuildJobOptions(
    namespace="builds",
    builder_image="registry/builder",
    runtimes_dir="/runtimes",
    timeout=timedelta(minutes=10),
    context_max_bytes=1,
    unpacked_max_bytes=2,
    max_files=3,
)
WITH_SECRETS = replace(OPTIONS, registry_secret="registry-push")


def pod(options=OPTIONS):
    return build_job(ORDER, options)["spec"]["template"]["spec"]


def containers(options=OPTIONS):
    made = pod(options)
    return {c["name"]: c for c in (*made["initContainers"], *made["containers"])}


def environment(container):
    return {variable["name"]: variable["value"] for variable in container["env"]}


def test_the_same_order_is_the_same_job():
    assert build_job(ORDER, WITH_SECRETS) == build_job(ORDER, WITH_SECRETS)


def test_a_job_is_named_by_its_request_and_found_by_its_lambda():
    metadata = build_job(ORDER, OPTIONS)["metadata"]
    assert (metadata["name"], metadata["namespace"]) == (ORDER.name, "builds")
    assert metadata["labels"] == labels.function_labels(ORDER.function)
    assert metadata["annotations"] == {
        labels.BUILD_ID: ORDER.build_id,
        labels.REQUEST_ID: ORDER.request_id,
    }


def test_the_steps_run_one_after_the_other():
    made = pod()
    assert [c["name"] for c in made["initContainers"]] == ["build"]
    assert [c["name"] for c in made["containers"]] == ["publish"]
    commands = {name: container["command"] for name, container in containers().items()}
    assert commands == {
        "build": ["python", "-m", "lambda_builder.fetch", "python", "-m", "lambda_builder.build"],
        "publish": ["python", "-m", "lambda_builder.publish"],
    }


def test_each_container_is_told_what_the_contract_says_of_its_steps():
    told = {name: environment(container) for name, container in containers().items()}
    common = {"BUILD_WORKSPACE", "TERMINATION_MESSAGE_PATH", "HOME"}
    of_fetch = {
        "CONTEXT_URL",
        "CONTEXT_SHA256",
        "CONTEXT_MAX_BYTES",
        "SOURCE_MAX_BYTES",
        "SOURCE_MAX_FILES",
    }
    of_build = {"RUNTIME", "RUNTIMES_DIR", "BUILD_TIMEOUT_SECONDS"}
    assert told["build"].keys() - common == of_fetch | of_build
    assert told["publish"].keys() - common == {
        "IMAGE_REPOSITORY_URL",
        "IMAGE_TAG",
        "BASE_IMAGE_URL",
        "RUNTIME",
        "RUNTIMES_DIR",
    }
    assert told["publish"]["IMAGE_TAG"] == image_tag(ORDER.build_id)


def test_the_package_index_does_not_reach_publish():
    options = replace(OPTIONS, package_index_url="http://index/", allow_source_packages=True)
    told = {name: environment(container) for name, container in containers(options).items()}
    assert told["build"]["PACKAGE_INDEX_URL"] == "http://index/"
    assert told["build"]["ALLOW_SOURCE_PACKAGES"] == "true"
    assert "PACKAGE_INDEX_URL" not in told["publish"]


def test_the_step_that_runs_foreign_code_holds_no_secret():
    container = containers(WITH_SECRETS)["build"]
    # What the step before it took away when it became this one.
    left = [each for each in container["env"] if each["name"] not in FETCH_VARIABLES]
    build = json.dumps(container | {"env": left})
    assert "hunter2" not in build
    assert "registry" not in build.replace("registry/builder", "")


def test_only_publish_has_the_secret_of_the_registry():
    for name, container in containers(WITH_SECRETS).items():
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert ("registry" in mounted) == (name == "publish")
        assert ("DOCKER_CONFIG" in environment(container)) == (name == "publish")
    secrets = [volume for volume in pod(WITH_SECRETS)["volumes"] if "secret" in volume]
    assert [volume["secret"]["secretName"] for volume in secrets] == ["registry-push"]
    assert not [volume for volume in pod()["volumes"] if "secret" in volume]


def test_a_pod_has_no_token_of_the_kubernetes_api():
    assert pod()["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod()


def test_a_pod_keeps_to_pod_security_restricted():
    made = pod(WITH_SECRETS)
    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & made.keys()
    assert {kind for volume in made["volumes"] for kind in volume} == {
        "name",
        "emptyDir",
        "secret",
    }
    for container in containers(WITH_SECRETS).values():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in context
        assert "ports" not in container


def test_every_container_has_limits():
    for container in containers().values():
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}


def test_a_mistake_in_the_source_is_not_built_again():
    rules = build_job(ORDER, OPTIONS)["spec"]["podFailurePolicy"]["rules"]
    on_exits = [rule["onExitCodes"] for rule in rules if rule["action"] == "FailJob"]
    # Kubernetes refuses a Job with a rule of a container that it has not.
    assert on_exits == [
        {"containerName": name, "operator": "In", "values": [1]} for name in containers()
    ]


def test_a_node_that_is_lost_costs_no_attempt():
    rules = build_job(ORDER, OPTIONS)["spec"]["podFailurePolicy"]["rules"]
    assert rules[-1]["action"] == "Ignore"


@pytest.mark.parametrize("timeout", [timedelta(seconds=1), timedelta(minutes=10)])
def test_the_build_step_ends_before_the_job_does(timeout):
    options = replace(OPTIONS, timeout=timeout)
    own = int(environment(containers(options)["build"])["BUILD_TIMEOUT_SECONDS"])
    assert 1 <= own <= build_job(ORDER, options)["spec"]["activeDeadlineSeconds"]
