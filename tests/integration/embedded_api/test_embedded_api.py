"""What is the embedded API's own: who may use it, logs from files, restarts, kubectl."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from tests.helpers.lambda_function_specs import MINIMAL
from tests.helpers.platform_access import trust
from tests.helpers.running_api import CHANGES_KEPT, RunningApi
from tests.integration.embedded_api.helpers.conformance import Functions


def _request(api, path, method="GET", body=None, **headers):
    place = urlsplit(api.url).netloc
    connection = http.client.HTTPSConnection(place, timeout=10, context=trust(api.kubeconfig))
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "credential",
    [None, "", "Bearer", "Bearer wrong", "Basic dTpw", "Bearer ünï"],
    ids=["none", "empty", "scheme", "wrong", "basic", "not-ascii"],
)
def test_without_the_token_nothing_is_served(running_api, credential):
    headers = {} if credential is None else {"Authorization": credential.encode("latin-1")}
    status, body = _request(running_api, "/api/v1/namespaces", **headers)
    assert status == 401
    assert json.loads(body)["reason"] == "Unauthorized"
    assert running_api.token.encode() not in body


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_needs_no_token(running_api, path):
    assert _request(running_api, path) == (200, b"ok")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8082", "127.0.0.1.evil.example"])
def test_a_foreign_host_name_is_rejected_even_with_the_token(running_api, host):
    bearer = f"Bearer {running_api.token}"
    status, _ = _request(running_api, "/healthz", Host=host, Authorization=bearer)
    assert status == 403


def test_the_kubeconfig_is_its_owners_alone(running_api):
    assert running_api.kubeconfig.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/v1/namespaces/default/pods/x/exec", "GET", 404),
        ("/apis/batch/v1/namespaces/default/jobs//status", "GET", 404),
        ("/apis/batch/v1/jobs", "POST", 405),
        ("/apis/batch/v1/namespaces/default/jobs", "PUT", 405),
        ("/apis/batch/v1/namespaces/default/jobs/x/status", "DELETE", 405),
        ("/apis/batch/v1/jobs?limit=x", "GET", 400),
        ("/apis/batch/v1/jobs?continue=x", "GET", 400),
        ("/apis/batch/v1/jobs?fieldSelector=spec.x%3D1", "GET", 400),
        ("/apis/batch/v1/jobs?watch=1&resourceVersion=x", "GET", 400),
        ("/apis/batch/v1/jobs?watch=1&sendInitialEvents=true", "GET", 422),
        ("/apis/batch/v1/namespaces/default/jobs?dryRun=Some", "POST", 400),
    ],
)
def test_requests_that_make_no_sense_get_a_status(running_api, path, method, status):
    bearer = f"Bearer {running_api.token}"
    body = '{"metadata": {"name": "x"}}' if method == "POST" else None
    headers = {"Content-Type": "application/json"} if body else {}
    found, response = _request(running_api, path, method, body, Authorization=bearer, **headers)
    assert (found, json.loads(response)["code"]) == (status, status)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"metadata":' * 200 + b"1" + b"}" * 200,
        b'{"metadata": {"name": NaN}}',
        b'{"metadata": []}',
        b"[]",
        b"\xff\xfe",
        b'{"metadata": {"name": "\\ud800"}}',
        b'{"metadata": {"name": 5}}',
        b'{"metadata": {"name": "x", "labels": []}}',
        b'{"metadata": {"name": "x", "ownerReferences": [1]}}',
        b'{"metadata": {"name": "x", "finalizers": 1}}',
        b'{"metadata": {"name": "x", "generateName": 1}, "spec": 5}',
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_no_body_is_an_error_of_the_server(running_api, method, body):
    path = "/apis/batch/v1/namespaces/default/jobs" + (
        "" if method == "POST" else "/x?fieldManager=m"
    )
    kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
    status, response = _request(
        running_api, path, method, body,
        **{"Authorization": f"Bearer {running_api.token}", "Content-Type": kind},
    )  # fmt: skip
    assert status in {400, 422, 404}
    assert json.loads(response)["status"] == "Failure"


@pytest.mark.parametrize(
    "text",
    ["a: &x [1]\nb: *x\n", "a: [", "? [a]\n: b\n", "a: !!python/name:os.system x\n", "a: .nan\n"],
    ids=["alias", "broken", "key", "tag", "nan"],
)
def test_yaml_that_json_cannot_say_is_rejected(running_api, text):
    path = "/apis/batch/v1/namespaces/default/jobs/x?fieldManager=m"
    status, _ = _request(
        running_api, path, "PATCH", text.encode(),
        **{"Authorization": f"Bearer {running_api.token}",
           "Content-Type": "application/apply-patch+yaml"},
    )  # fmt: skip
    assert status == 400


@pytest.fixture
def pod(running_api, api_client, namespace):
    """Store a pod with two containers, of which one wrote a log that was rotated."""
    containers = [{"name": name, "image": "x"} for name in ("build", "silent")]
    item = {"metadata": {"name": "pod"}, "spec": {"containers": containers}}
    client.CoreV1Api(api_client).create_namespaced_pod(namespace, item)
    folder = running_api.folder / "pods" / namespace / "pod"
    folder.mkdir(parents=True)
    (folder / "build.log.1").write_text("one\ntwo\nth")
    (folder / "build.log").write_text("ree\nfour\n")
    running_api.call(
        running_api.objects.update_status, "Pod", namespace, "pod", {"phase": "Running"}
    )
    return "pod"


def _log(api_client, namespace, pod, **options):
    # With its preloaded content the client answers the text of a bytes literal.
    return (
        client.CoreV1Api(api_client)
        .read_namespaced_pod_log(pod, namespace, _preload_content=False, **options)
        .data.decode()
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "one\ntwo\nthree\nfour\n"),
        ({"tail_lines": 2}, "three\nfour\n"),
        ({"tail_lines": 0}, ""),
        ({"limit_bytes": 5}, "one\nt"),
        ({"tail_lines": 1, "limit_bytes": 2}, "fo"),
    ],
)
def test_logs_are_read_over_a_rotation(api_client, namespace, pod, options, text):
    assert _log(api_client, namespace, pod, container="build", **options) == text


def test_a_container_that_wrote_nothing_has_an_empty_log(api_client, namespace, pod):
    assert _log(api_client, namespace, pod, container="silent") == ""


@pytest.mark.parametrize("container", [None, "other", "../../secret", ".."])
def test_a_log_needs_a_container_of_the_pod(api_client, namespace, pod, container):
    options = {} if container is None else {"container": container}
    with pytest.raises(ApiException) as caught:
        client.CoreV1Api(api_client).read_namespaced_pod_log(pod, namespace, **options)
    assert caught.value.status == 400


def test_a_followed_log_ends_with_its_pod(running_api, api_client, namespace, pod):
    path = running_api.folder / "pods" / namespace / pod / "build.log"

    def write():
        with path.open("a") as file:
            file.write("five\n")
        path.replace(path.with_name("build.log.1"))
        time.sleep(0.5)
        path.write_text("six\n")
        running_api.call(
            running_api.objects.update_status, "Pod", namespace, pod, {"phase": "Succeeded"}
        )

    writer = threading.Timer(0.3, write)
    writer.start()
    text = _log(api_client, namespace, pod, container="build", follow=True, tail_lines=1)
    writer.join()
    assert text == "four\nfive\nsix\n"


def test_a_watch_from_a_forgotten_version_is_told_that_it_is_gone(
    api_client, running_api, namespace
):
    functions = Functions(api_client, namespace)
    version = functions.create("one")["metadata"]["resourceVersion"]
    for number in range(CHANGES_KEPT + 1):
        labels = {"metadata": {"labels": {"number": str(number)}}}
        functions.send("PATCH", "one", labels, "application/merge-patch+json")
    path = f"{functions.path}?watch=1&resourceVersion={version}"
    bearer = f"Bearer {running_api.token}"
    status, body = _request(running_api, path, Authorization=bearer)
    event = json.loads(body)
    assert (status, event["type"], event["object"]["code"]) == (200, "ERROR", 410)
    assert event["object"]["reason"] == "Expired"


def test_dependents_and_the_content_of_a_namespace_go_with_it(api_client, running_api):
    core, name = client.CoreV1Api(api_client), "short-lived"
    core.create_namespace({"metadata": {"name": name}})
    functions = Functions(api_client, name)
    owner = functions.create("owner")
    reference = {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": "owner", "uid": owner["metadata"]["uid"],
    }  # fmt: skip
    core.create_namespaced_config_map(
        name, {"metadata": {"name": "dependent", "ownerReferences": [reference]}}
    )
    core.create_namespaced_config_map(name, {"metadata": {"name": "other"}})
    functions.send("DELETE", "owner")
    _until(
        lambda: [m.metadata.name for m in core.list_namespaced_config_map(name).items] == ["other"]
    )
    core.delete_namespace(name)
    _until(lambda: name not in {n.metadata.name for n in core.list_namespace().items})
    assert running_api.call(running_api.objects.list, "ConfigMap", name) == []


def test_nothing_is_created_in_a_namespace_that_is_ending(running_api, api_client, namespace):
    functions = Functions(api_client, namespace)
    functions.create("held", finalizers=["knative-lambda.dev/test"])
    client.CoreV1Api(api_client).delete_namespace(namespace)
    with pytest.raises(ApiException) as caught:
        functions.create("late")
    assert caught.value.status == 403
    patch = {"metadata": {"finalizers": None}}
    functions.send("PATCH", "held", patch, "application/merge-patch+json")
    core = client.CoreV1Api(api_client)
    _until(lambda: namespace not in {n.metadata.name for n in core.list_namespace().items})
    core.create_namespace({"metadata": {"name": namespace}})


def _until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def test_a_watch_goes_on_after_a_restart_of_the_platform(tmp_path):
    first = RunningApi(tmp_path)
    first.start()
    functions = Functions(config.new_client_from_config(str(first.kubeconfig)), "default")
    version = functions.create("one")["metadata"]["resourceVersion"]
    first.stop()
    second = RunningApi(tmp_path)
    second.start()
    try:
        api_client = config.new_client_from_config(str(second.kubeconfig))
        Functions(api_client, "default").create("two")
        stream = watch.Watch().stream(
            client.CustomObjectsApi(api_client).list_namespaced_custom_object,
            "knative-lambda.dev", "v1alpha1", "default", "lambdafunctions",
            resource_version=version, timeout_seconds=2,
        )  # fmt: skip
        assert next(stream)["object"]["metadata"]["name"] == "two"
        stream.close()
    finally:
        second.stop()


def test_an_open_watch_does_not_keep_the_platform_from_stopping(tmp_path):
    api = RunningApi(tmp_path)
    api.start()
    place = urlsplit(api.url).netloc
    connection = http.client.HTTPSConnection(place, timeout=10, context=trust(api.kubeconfig))
    bearer = {"Authorization": f"Bearer {api.token}"}
    connection.request("GET", "/api/v1/namespaces?watch=1", headers=bearer)
    response = connection.getresponse()
    assert response.readline()
    started = time.monotonic()
    api.stop()
    assert time.monotonic() - started < 5
    connection.close()


def test_kubectl_applies_lists_and_deletes(running_api, namespace, require_server):
    kubectl = require_server("kubectl", "see kubernetes.io for how to install kubectl")

    def run(*arguments, text=None):
        return subprocess.run(
            [kubectl, "--kubeconfig", running_api.kubeconfig, "-n", namespace, *arguments],
            input=text, capture_output=True, text=True, timeout=30, check=True,
            env={"HOME": str(running_api.folder)},
        ).stdout  # fmt: skip

    item = json.dumps(
        {"apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction",
         "metadata": {"name": "one"}, "spec": MINIMAL}
    )  # fmt: skip
    assert "created" in run("apply", "-f", "-", text=item)
    assert "serverside-applied" in run(
        "apply", "--server-side", "--force-conflicts", "-f", "-", text=item
    )
    assert "one" in run("get", "lambdafunctions")
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-31T14:00:01Z"}
    stored = running_api.call(running_api.objects.get, "LambdaFunction", namespace, "one")
    status = {"observedGeneration": stored["metadata"]["generation"], "conditions": [ready]}
    running_api.call(running_api.objects.update_status, "LambdaFunction", namespace, "one", status)
    assert "condition met" in run(
        "wait", "--for=condition=Ready", "lambdafunction/one", "--timeout=5s"
    )
    assert "deleted" in run("delete", "lambdafunction", "one", "--timeout=5s")
