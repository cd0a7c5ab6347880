import json
from dataclasses import replace
from datetime import timedelta

import pytest

from knative_lambda.domain.build import BuildOrder
from knative_lambda.domain.names import FunctionId
from knative_lambda.domain.packages import PackageIndex, PackageIndexes
from knative_lambda.domain.quantities import parse_quantity
from knative_lambda.domain.storage import Upload
from knative_lambda.manifests import labels
from knative_lambda.manifests.build_job import BuildJobOptions, build_job, index_credentials
from knative_lambda.manifests.build_secret import build_secret

SIGNED = "https://storage/key?X-Amz-Signature=hunter2"
FIELDS = {"key": "packages/default/hello/b", "policy": "hunter2"}
ORDER = BuildOrder(
    function=FunctionId("default", "hello"),
    build_id="b" * 64,
    request_id="2026-01-01T12:00:00+00:00/event-1",
    runtime="python3.11",
    context_url=SIGNED,
    context_sha256="c" * 64,
    upload=Upload(url=SIGNED, fields=FIELDS),
)
OPTIONS = BuildJobOptions(
    namespace="builds",
    build_job_image="registry/builder",
    runtimes_dir="/runtimes",
    timeout=timedelta(minutes=10),
    context_max_bytes=1,
    unpacked_max_bytes=2,
    max_files=3,
    packages_max_bytes=4,
)
CREDENTIALS = '{"username": "reader", "password": "hunter2"}'
COMMON = PackageIndex(url="http://common/", credentials=CREDENTIALS)
WITH_CREDENTIALS = replace(OPTIONS, indexes=PackageIndexes(common=COMMON))


def pod(options=OPTIONS):
    return build_job(ORDER, options)["spec"]["template"]["spec"]


def container(options=OPTIONS):
    (only,) = pod(options)["containers"]
    return only


def plain(options=OPTIONS):
    return {each["name"]: each["value"] for each in container(options)["env"] if "value" in each}


def from_secret(options=OPTIONS):
    return {
        each["name"]: each["valueFrom"]["secretKeyRef"]
        for each in container(options)["env"]
        if "valueFrom" in each
    }


def secret(options=OPTIONS, order=ORDER):
    return build_secret(
        order,
        namespace=options.namespace,
        index_credentials=index_credentials(build_job(order, options), options),
        job_uid="a-uid",
    )


def test_the_same_order_is_the_same_job_and_the_same_secret():
    assert build_job(ORDER, WITH_CREDENTIALS) == build_job(ORDER, WITH_CREDENTIALS)
    assert secret(WITH_CREDENTIALS) == secret(WITH_CREDENTIALS)


def test_a_job_is_the_same_whatever_opens_its_objects():
    other = replace(ORDER, context_url="https://else", upload=Upload(url="https://else"))
    open_index = replace(OPTIONS, indexes=PackageIndexes(common=replace(COMMON, credentials=None)))
    assert build_job(other, open_index) == build_job(ORDER, WITH_CREDENTIALS)


def test_a_job_is_named_by_its_request_and_found_by_its_lambda():
    metadata = build_job(ORDER, OPTIONS)["metadata"]
    assert (metadata["name"], metadata["namespace"]) == (ORDER.name, "builds")
    assert metadata["labels"] == labels.function_labels(ORDER.function)
    assert metadata["annotations"] == {
        labels.BUILD_ID: ORDER.build_id,
        labels.JOB_REQUEST_ID: ORDER.request_id,
    }


def test_functions_of_versions_whose_jobs_had_two_containers_leave_it_alone():
    marks = build_job(ORDER, OPTIONS)["metadata"]["annotations"]
    assert "knative-lambda.dev/wish-id" not in marks


def test_one_container_runs_one_isolated_program():
    made = pod()
    assert "initContainers" not in made
    assert container()["name"] == "build"
    assert container()["command"] == ["python", "-I", "-m", "lambda_builder.packages"]


def test_the_container_is_told_what_the_contract_says():
    assert plain().keys() == {
        "BUILD_WORKSPACE",
        "TERMINATION_MESSAGE_PATH",
        "TMPDIR",
        "HOME",
        "CONTEXT_SHA256",
        "CONTEXT_MAX_BYTES",
        "SOURCE_MAX_BYTES",
        "SOURCE_MAX_FILES",
        "RESULT_MAX_BYTES",
        "RUNTIME",
        "RUNTIMES_DIR",
        "BUILD_TIMEOUT_SECONDS",
    }
    limits = [plain()[name] for name in ("CONTEXT_MAX_BYTES", "SOURCE_MAX_BYTES")]
    assert limits == ["1", "2"]
    assert (plain()["SOURCE_MAX_FILES"], plain()["RESULT_MAX_BYTES"]) == ("3", "4")


def test_the_policy_of_packages_is_told():
    options = replace(
        OPTIONS,
        indexes=PackageIndexes(common=PackageIndex(url="http://index/")),
        package_url_prefixes=("https://files.example/",),
        allow_git_packages=True,
        allow_source_packages=True,
        require_hashes=True,
    )
    told = {name: value for name, value in plain(options).items() if name not in plain()}
    assert told == {
        "PACKAGE_INDEX_URL": "http://index/",
        "PACKAGE_URL_PREFIXES": '["https://files.example/"]',
        "ALLOW_GIT_PACKAGES": "true",
        "ALLOW_SOURCE_PACKAGES": "true",
        "REQUIRE_HASHES": "true",
    }


def test_what_opens_anything_comes_from_the_secret_of_the_job():
    references = from_secret()
    assert {each["name"] for each in references.values()} == {ORDER.name}
    assert {name: each["optional"] for name, each in references.items()} == {
        "CONTEXT_URL": False,
        "RESULT_URL": False,
        "RESULT_FIELDS": True,
        "PACKAGE_INDEX_CREDENTIALS": True,
    }
    assert all(name == each["key"] for name, each in references.items())
    assert "hunter2" not in json.dumps(build_job(ORDER, WITH_CREDENTIALS))


def test_a_secret_holds_what_opens_the_objects_of_its_build():
    made = secret()
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (ORDER.name, "builds")
    assert made["stringData"] == {
        "CONTEXT_URL": SIGNED,
        "RESULT_URL": SIGNED,
        "RESULT_FIELDS": json.dumps(FIELDS),
    }
    assert made["immutable"] is True


def test_a_secret_has_the_credentials_of_the_index_and_no_fields_that_there_are_not():
    made = secret(WITH_CREDENTIALS, replace(ORDER, upload=Upload(url=SIGNED)))
    assert made["stringData"].keys() == {"CONTEXT_URL", "RESULT_URL", "PACKAGE_INDEX_CREDENTIALS"}
    assert made["stringData"]["PACKAGE_INDEX_CREDENTIALS"] == CREDENTIALS


OWN = PackageIndex(url="http://own/", credentials='{"username": "own", "password": "hunter2"}')
OF_ONE_LANGUAGE = replace(OPTIONS, indexes=PackageIndexes(common=COMMON, own={"python": OWN}))


@pytest.mark.parametrize(("runtime", "index"), [("python3.11", OWN), ("nodejs20", COMMON)])
def test_a_build_has_the_index_of_its_language_and_its_credentials_alone(runtime, index):
    job = build_job(replace(ORDER, runtime=runtime), OF_ONE_LANGUAGE)
    (only,) = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "PACKAGE_INDEX_URL", "value": index.url} in only["env"]
    assert index_credentials(job, OF_ONE_LANGUAGE) == index.credentials


def test_an_index_of_its_own_without_credentials_gets_none():
    own = {"python": replace(OWN, credentials=None)}
    options = replace(OPTIONS, indexes=PackageIndexes(common=COMMON, own=own))
    assert "PACKAGE_INDEX_CREDENTIALS" not in secret(options)["stringData"]


@pytest.mark.parametrize(
    ("before", "now"), [(OF_ONE_LANGUAGE, WITH_CREDENTIALS), (WITH_CREDENTIALS, OF_ONE_LANGUAGE)]
)
def test_a_job_that_names_an_index_of_earlier_settings_gets_no_credentials(before, now):
    assert index_credentials(build_job(ORDER, before), now) is None


def test_a_job_of_a_version_that_said_less_gets_no_credentials():
    job = build_job(ORDER, WITH_CREDENTIALS)
    del job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert index_credentials(job, WITH_CREDENTIALS) is None


def test_a_secret_goes_with_its_job():
    (owner,) = secret()["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": ORDER.name, "uid": "a-uid"}


def test_options_do_not_show_credentials():
    assert "hunter2" not in repr(WITH_CREDENTIALS)


def test_a_pod_has_no_token_of_the_kubernetes_api():
    assert pod()["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod()


def test_no_secret_is_a_file_of_the_pod():
    kinds = {kind for volume in pod(WITH_CREDENTIALS)["volumes"] for kind in volume}
    assert kinds == {"name", "emptyDir"}


def test_a_pod_keeps_to_pod_security_restricted():
    made = pod()
    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & made.keys()
    context = container()["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in context
    assert "ports" not in container()


def test_the_home_is_a_volume_that_holds_nothing_else():
    volumes = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"]}
    home, workspace, temporary = (
        volumes[plain()[name]] for name in ("HOME", "BUILD_WORKSPACE", "TMPDIR")
    )
    assert len({home, workspace, temporary}) == 3


def test_a_build_has_limits_of_all_that_it_could_take_from_others():
    resources = container()["resources"]
    assert resources["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}
    assert resources["requests"].keys() == resources["limits"].keys()


def test_every_folder_that_a_build_writes_to_has_a_size_below_that_of_the_pod():
    most = parse_quantity(container()["resources"]["limits"]["ephemeral-storage"])
    sizes = [parse_quantity(volume["emptyDir"]["sizeLimit"]) for volume in pod()["volumes"]]
    assert all(size < most for size in sizes)


def test_a_mistake_in_the_source_is_not_built_again():
    rules = build_job(ORDER, OPTIONS)["spec"]["podFailurePolicy"]["rules"]
    on_exits = [rule["onExitCodes"] for rule in rules if rule["action"] == "FailJob"]
    # Kubernetes refuses a Job with a rule of a container that it has not.
    assert on_exits == [{"containerName": "build", "operator": "In", "values": [1]}]


def test_a_node_that_is_lost_costs_no_attempt():
    rules = build_job(ORDER, OPTIONS)["spec"]["podFailurePolicy"]["rules"]
    assert rules[-1]["action"] == "Ignore"


@pytest.mark.parametrize("timeout", [timedelta(seconds=1), timedelta(minutes=10)])
def test_the_program_ends_before_the_job_does(timeout):
    options = replace(OPTIONS, timeout=timeout)
    own = int(plain(options)["BUILD_TIMEOUT_SECONDS"])
    assert 1 <= own <= build_job(ORDER, options)["spec"]["activeDeadlineSeconds"]
