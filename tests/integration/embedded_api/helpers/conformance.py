"""What every Kubernetes API does: the embedded one as well as kube-apiserver.

A test module imports these tests and provides the fixtures `api_client` (of the official client,
with rights to everything) and `namespace`. The LambdaFunction CRD must be installed.
"""

from __future__ import annotations

import json
import threading

import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, PLURAL = "knative-lambda.dev", "v1alpha1", "lambdafunctions"


class Functions:
    """LambdaFunctions of one namespace, as JSON."""

    def __init__(self, api_client, namespace):
        self._client = api_client
        self.path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"

    def send(self, method, name="", body=None, content_type="application/json", **query):
        response = self._client.call_api(
            f"{self.path}/{name}" if name else self.path,
            method,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            query_params=list(query.items()),
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
        )
        return json.loads(response.data)

    def apply(self, name, *, manager="one", force="false", subresource="", **fields):
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "LambdaFunction", "metadata": metadata}
        return self.send(
            "PATCH",
            f"{name}/{subresource}" if subresource else name,
            {**body, **fields},
            "application/apply-patch+yaml",
            fieldManager=manager,
            force=force,
        )

    def create(self, name, **metadata):
        return self.send("POST", body=function(name, **metadata))


def function(name, **metadata):
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "LambdaFunction",
        "metadata": {"name": name, **metadata},
        "spec": spec(),
    }


def spec(**fields):
    source = {"inline": {"main.py": "def handler(event): ..."}}
    return {"source": source, "runtime": "python3.11", **fields}


@pytest.fixture
def functions(api_client, namespace):
    return Functions(api_client, namespace)


def status_of(caught):
    return json.loads(caught.value.body)


def test_a_new_object_has_uid_generation_and_version(functions):
    stored = functions.create("one")
    assert stored["metadata"]["generation"] == 1
    assert stored["metadata"]["uid"]
    assert functions.send("GET", "one") == stored


def test_a_second_object_of_the_same_name_is_rejected(functions):
    functions.create("one")
    with pytest.raises(ApiException) as caught:
        functions.create("one")
    assert (caught.value.status, status_of(caught)["reason"]) == (409, "AlreadyExists")


def test_an_absent_object_is_not_found(functions):
    with pytest.raises(ApiException) as caught:
        functions.send("GET", "nothing")
    status = status_of(caught)
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 404, "NotFound")
    assert status["details"]["name"] == "nothing"


def test_nothing_is_created_in_a_namespace_that_does_not_exist(api_client):
    with pytest.raises(ApiException) as caught:
        Functions(api_client, "no-such-namespace").create("one")
    assert caught.value.status == 404


def test_a_generated_name_begins_with_its_prefix(functions):
    item = function("unused")
    item["metadata"] = {"generateName": "one-"}
    names = {functions.send("POST", body=item)["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("one-") and len(name) > 4 for name in names)


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "a" * 254, "dot..dot", "ü"])
def test_a_name_that_is_no_dns_name_is_invalid(functions, name):
    with pytest.raises(ApiException) as caught:
        functions.create(name)
    assert (caught.value.status, status_of(caught)["reason"]) == (422, "Invalid")


@pytest.mark.parametrize(
    "labels", [{"a b": "x"}, {"x": "a b"}, {"x": "a" * 64}], ids=["key", "value", "length"]
)
def test_labels_must_be_labels(functions, labels):
    with pytest.raises(ApiException) as caught:
        functions.create("one", labels=labels)
    assert caught.value.status == 422


@pytest.mark.parametrize(
    "change",
    [{"kind": "Other"}, {"apiVersion": "batch/v1"}, {"metadata": {"name": "x", "namespace": "y"}}],
    ids=["kind", "apiVersion", "namespace"],
)
def test_a_body_that_does_not_fit_its_path_is_a_bad_request(functions, change):
    with pytest.raises(ApiException) as caught:
        functions.send("POST", body={**function("one"), **change})
    assert caught.value.status == 400


def test_an_update_of_an_old_version_conflicts(functions):
    first = functions.create("one")
    second = functions.send("PUT", "one", {**first, "spec": spec(timeoutSeconds=5)})
    assert second["metadata"]["generation"] == 2
    with pytest.raises(ApiException) as caught:
        functions.send("PUT", "one", first)
    assert (caught.value.status, status_of(caught)["reason"]) == (409, "Conflict")


def test_an_update_of_a_custom_object_needs_its_version(functions):
    functions.create("one")
    with pytest.raises(ApiException) as caught:
        functions.send("PUT", "one", function("one"))
    assert caught.value.status == 422


def test_an_update_under_another_name_is_a_bad_request(functions):
    first = functions.create("one")
    first["metadata"]["name"] = "two"
    with pytest.raises(ApiException) as caught:
        functions.send("PUT", "one", first)
    assert caught.value.status == 400


def test_an_update_that_changes_nothing_keeps_the_version(functions):
    first = functions.create("one")
    assert functions.send("PUT", "one", first) == first


def test_the_status_is_written_by_its_subresource_alone(functions):
    first = functions.send("POST", body={**function("one"), "status": {"phase": "Ready"}})
    assert "status" not in first
    changed = {**first, "status": {"phase": "Building"}, "spec": spec(timeoutSeconds=9)}
    written = functions.send("PUT", "one/status", changed)
    assert written["status"] == {"phase": "Building"}
    assert written["spec"]["timeoutSeconds"] == 60
    assert written["metadata"]["generation"] == 1
    again = functions.send("PUT", "one", {**written, "status": {"phase": "Ready"}})
    assert again["status"] == {"phase": "Building"}


def test_a_merge_patch_changes_and_removes_fields(functions):
    functions.create("one", labels={"a": "1", "b": "2"})
    patch = {"metadata": {"labels": {"a": None, "c": "3"}}}
    stored = functions.send("PATCH", "one", patch, "application/merge-patch+json")
    assert stored["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert stored["spec"].items() >= spec().items()


def test_a_merge_patch_that_holds_an_old_version_conflicts(functions):
    version = functions.create("one")["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version, "labels": {"a": "1"}}}
    functions.send("PATCH", "one", patch, "application/merge-patch+json")
    patch["metadata"]["labels"]["a"] = "2"
    with pytest.raises(ApiException) as caught:
        functions.send("PATCH", "one", patch, "application/merge-patch+json")
    assert caught.value.status == 409


def test_a_json_patch_that_tests_in_vain_changes_nothing(functions):
    functions.create("one")
    operations = [
        {"op": "add", "path": "/spec/timeoutSeconds", "value": 3},
        {"op": "test", "path": "/spec/runtime", "value": "other"},
    ]
    with pytest.raises(ApiException) as caught:
        functions.send("PATCH", "one", operations, "application/json-patch+json")
    assert caught.value.status == 422
    stored = functions.send("PATCH", "one", operations[:1], "application/json-patch+json")
    assert stored["spec"]["timeoutSeconds"] == 3


def test_a_patch_of_an_unknown_type_is_rejected(functions):
    functions.create("one")
    with pytest.raises(ApiException) as caught:
        functions.send("PATCH", "one", {}, "application/strategic-merge-patch+json")
    assert caught.value.status == 415


def test_apply_creates_what_is_not_there(functions):
    stored = functions.apply("one", spec=spec())
    assert stored["metadata"]["generation"] == 1
    assert stored["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_apply_without_a_manager_is_a_bad_request(functions):
    with pytest.raises(ApiException) as caught:
        functions.send("PATCH", "one", function("one"), "application/apply-patch+yaml")
    assert caught.value.status in {400, 422}


def test_applying_the_same_again_keeps_the_version(functions):
    first = functions.apply("one", spec=spec())
    assert functions.apply("one", spec=spec()) == first


def test_apply_removes_what_it_applied_before_and_omits_now(functions):
    functions.apply("one", spec=spec(timeoutSeconds=5), metadata={"labels": {"a": "1", "b": "2"}})
    stored = functions.apply("one", spec=spec(), metadata={"labels": {"a": "1"}})
    assert stored["spec"]["timeoutSeconds"] == 60
    assert stored["metadata"]["labels"] == {"a": "1"}


def test_apply_keeps_what_others_own(functions):
    functions.apply("one", spec=spec(), metadata={"labels": {"a": "1", "shared": "x"}})
    functions.apply("one", manager="two", metadata={"labels": {"b": "2", "shared": "x"}})
    stored = functions.apply("one", spec=spec())
    assert stored["metadata"]["labels"] == {"b": "2", "shared": "x"}


def test_apply_keeps_what_a_patch_added(functions):
    functions.apply("one", spec=spec())
    patch = {"metadata": {"annotations": {"noted": "by hand"}}}
    functions.send("PATCH", "one", patch, "application/merge-patch+json")
    stored = functions.apply("one", spec=spec(timeoutSeconds=5))
    assert stored["metadata"]["annotations"] == {"noted": "by hand"}


def test_apply_of_another_managers_field_conflicts_unless_forced(functions):
    functions.apply("one", spec=spec(timeoutSeconds=5))
    with pytest.raises(ApiException) as caught:
        functions.apply("one", manager="two", spec={"timeoutSeconds": 6})
    status = status_of(caught)
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["details"]["causes"][0]["field"] == ".spec.timeoutSeconds"
    functions.apply("one", manager="two", force="true", spec={"timeoutSeconds": 6})
    stored = functions.apply("one", spec=spec())
    assert stored["spec"]["timeoutSeconds"] == 6


def test_apply_of_the_status_touches_the_status_alone(functions):
    functions.apply("one", spec=spec())
    stored = functions.apply("one", subresource="status", status={"phase": "Ready"})
    assert stored["status"] == {"phase": "Ready"}
    assert stored["spec"].items() >= spec().items()
    assert functions.apply("one", spec=spec())["status"] == {"phase": "Ready"}


def test_a_dry_run_stores_nothing(functions):
    before = functions.create("one")
    patch = {"metadata": {"labels": {"a": "1"}}}
    tried = functions.send("PATCH", "one", patch, "application/merge-patch+json", dryRun="All")
    assert tried["metadata"]["labels"] == {"a": "1"}
    functions.send("DELETE", "one", dryRun="All")
    assert functions.send("POST", body=function("two"), dryRun="All")["metadata"]["uid"]
    assert functions.send("GET")["items"] == [before]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=a", ["one"]),
        ("app==a,tier=x", ["one"]),
        ("app!=a", ["three", "two"]),
        ("app", ["one", "two"]),
        ("!app", ["three"]),
        ("app in (a, b)", ["one", "two"]),
        ("app notin (a)", ["three", "two"]),
        ("app in (a,b),tier!=x", ["two"]),
    ],
)
def test_label_selectors_select(functions, selector, names):
    functions.create("one", labels={"app": "a", "tier": "x"})
    functions.create("two", labels={"app": "b"})
    functions.create("three")
    found = functions.send("GET", labelSelector=selector)["items"]
    assert [item["metadata"]["name"] for item in found] == names


def test_a_selector_that_cannot_be_read_is_a_bad_request(functions):
    with pytest.raises(ApiException) as caught:
        functions.send("GET", labelSelector="a in b")
    assert caught.value.status == 400


def test_a_list_can_be_read_by_name_over_all_namespaces(functions, api_client, namespace):
    functions.create("one")
    functions.create("two")
    custom = client.CustomObjectsApi(api_client)
    found = custom.list_cluster_custom_object(
        GROUP, VERSION, PLURAL, field_selector=f"metadata.name=one,metadata.namespace={namespace}"
    )
    assert [item["metadata"]["name"] for item in found["items"]] == ["one"]


def test_pages_of_a_list_make_up_the_whole(functions):
    names = [f"f{number:02}" for number in range(7)]
    for name in names:
        functions.create(name)
    found, query = [], {}
    while True:
        page = functions.send("GET", limit=3, **query)
        found += [item["metadata"]["name"] for item in page["items"]]
        if not page["metadata"].get("continue"):
            break
        query = {"continue": page["metadata"]["continue"]}
    assert found == names


def test_a_watch_from_a_lists_version_sees_what_came_after(functions, api_client, namespace):
    functions.create("one")
    version = functions.send("GET")["metadata"]["resourceVersion"]
    functions.create("two")
    functions.send("DELETE", "one")
    seen = _watched(api_client, namespace, 2, resource_version=version)
    assert seen == [("ADDED", "two"), ("DELETED", "one")]


def test_a_watch_without_a_version_begins_with_what_exists(functions, api_client, namespace):
    functions.create("one")
    writer = threading.Timer(0.3, lambda: functions.create("two"))
    writer.start()
    assert _watched(api_client, namespace, 2) == [("ADDED", "one"), ("ADDED", "two")]
    writer.join()


def test_an_object_that_leaves_a_selection_is_deleted_to_its_watch(
    functions, api_client, namespace
):
    version = functions.send("GET")["metadata"]["resourceVersion"]
    functions.create("one")
    for label in ("x", None):
        patch = {"metadata": {"labels": {"app": label}}}
        functions.send("PATCH", "one", patch, "application/merge-patch+json")
    seen = _watched(api_client, namespace, 2, resource_version=version, label_selector="app=x")
    assert seen == [("ADDED", "one"), ("DELETED", "one")]


def _watched(api_client, namespace, count, **options):
    custom, stream, seen = client.CustomObjectsApi(api_client), watch.Watch(), []
    for event in stream.stream(
        custom.list_namespaced_custom_object,
        GROUP, VERSION, namespace, PLURAL, timeout_seconds=5, **options,
    ):  # fmt: skip
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        if len(seen) == count:
            stream.stop()
    return seen


def test_a_watch_ends_when_its_time_is_over(functions, api_client, namespace):
    assert functions.send("GET")["items"] == []
    custom = client.CustomObjectsApi(api_client)
    stream = watch.Watch().stream(
        custom.list_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL, timeout_seconds=1
    )
    assert list(stream) == []


@pytest.mark.parametrize("key", ["uid", "resourceVersion"])
def test_a_deletion_with_another_precondition_conflicts(functions, key):
    stored = functions.create("one")
    with pytest.raises(ApiException) as caught:
        functions.send("DELETE", "one", {"preconditions": {key: "1"}})
    assert caught.value.status == 409
    right = {"preconditions": {key: stored["metadata"][key]}}
    assert functions.send("DELETE", "one", right)["status"] == "Success"


def test_finalizers_hold_an_object_until_they_are_gone(functions):
    functions.create("one", finalizers=["knative-lambda.dev/test"])
    functions.send("DELETE", "one")
    held = functions.send("GET", "one")
    assert held["metadata"]["deletionTimestamp"]
    patch = {"metadata": {"finalizers": None}}
    functions.send("PATCH", "one", patch, "application/merge-patch+json")
    with pytest.raises(ApiException) as caught:
        functions.send("GET", "one")
    assert caught.value.status == 404


def test_a_collection_is_deleted_by_its_labels(functions):
    functions.create("one", labels={"app": "a"})
    functions.create("two", labels={"app": "b"})
    functions.send("DELETE", labelSelector="app=a")
    assert [item["metadata"]["name"] for item in functions.send("GET")["items"]] == ["two"]


def test_typed_clients_work_on_jobs(api_client, namespace):
    batch = client.BatchV1Api(api_client)
    container = client.V1Container(name="build", image="x", command=["true"])
    pod = client.V1PodSpec(containers=[container], restart_policy="Never")
    template = client.V1PodTemplateSpec(spec=pod)
    job = client.V1Job(
        metadata=client.V1ObjectMeta(name="build"), spec=client.V1JobSpec(template=template)
    )
    stored = batch.create_namespaced_job(namespace, job)
    assert stored.spec.template.spec.containers[0].name == "build"
    assert batch.list_namespaced_job(namespace).items[0].metadata.uid == stored.metadata.uid
    assert batch.delete_namespaced_job("build", namespace).status == "Success"


def test_the_template_of_a_job_cannot_change(api_client, namespace):
    batch = client.BatchV1Api(api_client)
    pod = {"containers": [{"name": "a", "image": "x"}], "restartPolicy": "Never"}
    job = {"metadata": {"name": "build"}, "spec": {"template": {"spec": pod}}}
    batch.create_namespaced_job(namespace, job)
    operation = {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "y"}
    with pytest.raises(ApiException) as caught:
        batch.patch_namespaced_job("build", namespace, [operation])
    assert caught.value.status == 422


def test_string_data_of_a_secret_is_stored_encoded(api_client, namespace):
    core = client.CoreV1Api(api_client)
    core.create_namespaced_secret(
        namespace, client.V1Secret(metadata={"name": "s"}, string_data={"a": "b"})
    )
    stored = core.read_namespaced_secret("s", namespace)
    assert (stored.data, stored.string_data) == ({"a": "Yg=="}, None)


def test_a_namespace_that_exists_is_found(api_client, namespace):
    assert client.CoreV1Api(api_client).read_namespace(namespace).status.phase == "Active"


def test_the_kinds_of_a_group_are_discovered(api_client):
    resources = client.CustomObjectsApi(api_client).get_api_resources(GROUP, VERSION)
    found = {resource.name: resource for resource in resources.resources}
    assert found[PLURAL].kind == "LambdaFunction"
    assert f"{PLURAL}/status" in found
    assert GROUP in {group.name for group in client.ApisApi(api_client).get_api_versions().groups}


def test_invalid_json_is_a_bad_request(functions):
    with pytest.raises(ApiException) as caught:
        functions.send("POST", body="{not json")
    assert caught.value.status == 400


def test_a_body_that_is_too_large_is_rejected(functions):
    item = function("one")
    item["spec"]["source"]["inline"]["big.txt"] = "x" * (4 * 1024 * 1024)
    with pytest.raises(ApiException) as caught:
        functions.send("POST", body=item)
    assert caught.value.status == 413


def test_an_unknown_path_is_not_found(api_client):
    with pytest.raises(ApiException) as caught:
        client.CustomObjectsApi(api_client).list_cluster_custom_object("no.group", "v1", "nothing")
    assert caught.value.status == 404
