"""`kubectl get`, `describe`, `wait`, `api-resources`: what people see of what is stored."""

from __future__ import annotations

import json
import subprocess
import threading
from datetime import UTC, datetime

import pytest


@pytest.fixture
def function(kubectl, running_api, namespace):
    """Store a lambda that is ready."""
    item = {
        "apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction",
        "metadata": {"name": "one"},
        "spec": {"runtime": "python3.11", "source": {"inline": {"main.py": "x"}}},
    }  # fmt: skip
    kubectl("apply", "-f", "-", text=json.dumps(item))
    status = {
        "phase": "Ready", "url": "http://one.example",
        "conditions": [{"type": "Ready", "status": "True", "reason": "Started",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }  # fmt: skip
    running_api.call(running_api.objects.update_status, "LambdaFunction", namespace, "one", status)
    return "one"


def _lines(text):
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize("name", ["lf", "lambdafunction", "lambdafunctions.knative-lambda.dev"])
def test_a_lambda_has_a_line_with_its_columns(kubectl, function, name):
    heads, cells = _lines(kubectl("get", name))
    assert heads == ["NAME", "PHASE", "READY", "REASON", "URL", "AGE"]
    assert cells[:5] == [function, "Ready", "True", "Started", "http://one.example"]


def test_wide_shows_more(kubectl, function):
    heads, cells = _lines(kubectl("get", "lf", function, "-o", "wide"))
    assert heads[6:] == ["RUNTIME", "IMAGE", "MESSAGE"]
    assert "python3.11" in cells


@pytest.mark.parametrize(
    ("names", "heads"),
    [
        (("po", "pod"), "NAME READY STATUS RESTARTS AGE"),
        (("cm",), "NAME DATA AGE"),
        (("secret",), "NAME TYPE DATA AGE"),
        (("sa",), "NAME SECRETS AGE"),
        (("ns",), "NAME STATUS AGE"),
        (("ev", "events"), "LAST SEEN TYPE REASON OBJECT MESSAGE"),
        (("job",), "NAME STATUS COMPLETIONS DURATION AGE"),
        (("ksvc", "kservice"), "NAME URL LATESTCREATED LATESTREADY READY REASON"),
        (("rev",), "NAME CONFIG NAME GENERATION READY REASON ACTUAL REPLICAS DESIRED REPLICAS"),
        (("brokers",), "NAME URL AGE READY REASON"),
        (("triggers",), "NAME BROKER SUBSCRIBER_URI AGE READY REASON"),
        (("pingsources",), "NAME SINK SCHEDULE AGE READY REASON"),
        (("apiserversources",), "NAME SINK AGE READY REASON"),
    ],
)
def test_every_kind_has_its_columns_and_short_names(kubectl, running_api, namespace, names, heads):
    kind = {
        "po": "Pod", "cm": "ConfigMap", "secret": "Secret", "sa": "ServiceAccount",
        "ns": "Namespace", "ev": "Event", "job": "Job", "ksvc": "Service", "rev": "Revision",
        "brokers": "Broker", "triggers": "Trigger", "pingsources": "PingSource",
        "apiserversources": "ApiServerSource",
    }[names[0]]  # fmt: skip
    if kind != "Namespace":
        item = {"kind": kind, "metadata": {"name": "one", "namespace": namespace}}
        running_api.call(running_api.objects.create, kind, item)
    for name in names:
        assert " ".join(kubectl("get", name).splitlines()[0].split()) == heads


def test_several_kinds_and_categories_are_shown_at_once(kubectl, function):
    assert f"lambdafunction.knative-lambda.dev/{function}" in kubectl("get", "knative")
    kubectl("create", "job", "two", "--image=x")
    assert "job.batch/two" in kubectl("get", "all")
    assert "lambdafunction.knative-lambda.dev/one" in kubectl("get", "lf,job", "-o", "name")


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("yaml", "phase: Ready"),
        ("json", '"phase": "Ready"'),
        ("jsonpath={.status.url}", "http://one.example"),
        ("custom-columns=IS:.status.phase", "Ready"),
        ("name", "lambdafunction.knative-lambda.dev/one"),
    ],
)
def test_whole_objects_are_shown_in_other_forms(kubectl, function, form, shown):
    assert shown in kubectl("get", "lf", function, "-o", form)


def test_lines_are_sorted_labelled_and_found_in_all_namespaces(kubectl, function):
    kubectl("label", "lf", function, "colour=red")
    assert "red" in kubectl("get", "lf", "-L", "colour")
    assert "colour=red" in kubectl("get", "lf", "--show-labels", "-l", "colour=red")
    assert function in kubectl("get", "lf", "-A", "--sort-by=.metadata.name")


def test_a_watch_shows_the_line_again_when_it_changes(kubectl, running_api, namespace, function):
    command = [*kubectl._command, "get", "lf", "-w"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=kubectl._environment
    )  # fmt: skip
    killer = threading.Timer(30, process.kill)
    killer.start()
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert "Ready" in lines[1]
        running_api.call(
            running_api.objects.update_status, "LambdaFunction", namespace, function,
            {"phase": "Failed"},
        )  # fmt: skip
        assert process.stdout.readline().split()[:2] == [function, "Failed"]
    finally:
        killer.cancel()
        process.kill()
        process.communicate()


def test_describe_shows_the_events_of_an_object(kubectl, running_api, namespace, function):
    uid = kubectl("get", "lf", function, "-o", "jsonpath={.metadata.uid}")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": namespace},
        "involvedObject": {"kind": "LambdaFunction", "name": function, "namespace": namespace,
                           "uid": uid, "apiVersion": "knative-lambda.dev/v1alpha1"},
        "type": "Warning", "reason": "BuildFailed", "message": "no such package", "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
    }  # fmt: skip
    running_api.call(running_api.objects.create, "Event", event)
    shown = kubectl("describe", "lf", function)
    assert "BuildFailed" in shown
    assert "no such package" in shown


@pytest.mark.parametrize("kind", ["secret", "cm", "sa", "job"])
def test_describe_knows_the_built_in_kinds(kubectl, kind):
    create = {
        "secret": ("secret", "generic", "one"), "cm": ("configmap", "one"), "sa": ("sa", "one"),
        "job": ("job", "one", "--image=x"),
    }  # fmt: skip
    kubectl("create", *create[kind])
    shown = kubectl("describe", kind, "one")
    assert ["Name:", "one"] in _lines(shown)


def test_wait_ends_with_the_condition(kubectl, function):
    met = kubectl("wait", "--for=condition=Ready", f"lf/{function}", "--timeout=10s")
    assert "condition met" in met
    gone = "--for=delete"
    kubectl("delete", "lf", function, "--wait=false")
    kubectl.run("wait", gone, f"lf/{function}", "--timeout=10s")
    assert kubectl("get", "lf", "-o", "name") == ""


def test_api_resources_tells_names_short_names_and_verbs(kubectl):
    found = {tuple(line[:2]) for line in _lines(kubectl("api-resources", "--verbs=list,get"))}
    assert ("lambdafunctions", "lf") in found
    assert ("pods", "po") in found
    assert "knative-lambda.dev/v1alpha1" in kubectl("api-versions")
