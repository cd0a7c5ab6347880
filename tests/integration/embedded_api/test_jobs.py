"""What a Job has that nobody wrote, as on a cluster."""

from __future__ import annotations

import json

import pytest

from lambda_embedded.jobs.pod_object import new_pod

UID, NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"


def manifest(name, **spec):
    template = {
        "metadata": {"labels": {"app": "mine"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]},
    }
    return json.dumps({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"template": template, **spec},
    })  # fmt: skip


@pytest.fixture
def job(kubectl):
    def read(name):
        return json.loads(kubectl("get", "job", name, "-o", "json"))

    return read


def test_a_job_selects_its_own_pods_by_labels_of_its_template(kubectl, job):
    kubectl("create", "-f", "-", text=manifest("one"))
    found = job("one")
    uid = found["metadata"]["uid"]
    assert found["spec"]["selector"] == {"matchLabels": {UID: uid}}
    assert found["spec"]["template"]["metadata"]["labels"] == {
        "app": "mine", "controller-uid": uid, UID: uid, "job-name": "one", NAME: "one",
    }  # fmt: skip
    described = kubectl("describe", "job", "one")
    assert f"{UID}={uid}" in described
    assert f"{NAME}=one" in described


def test_logs_of_a_job_are_not_those_of_another_one(kubectl, running_api, namespace, job):
    for name in ("one", "two"):
        kubectl("create", "-f", "-", text=manifest(name))
        pod = running_api.call(running_api.objects.create, "Pod", new_pod(job(name)))
        status = {"phase": "Succeeded", "containerStatuses": []}
        pod_name = pod["metadata"]["name"]
        running_api.call(running_api.objects.update_status, "Pod", namespace, pod_name, status)
        path = running_api.folder / "pods" / namespace / pod_name / "c.log"
        path.parent.mkdir(parents=True)
        path.write_text(f"I am {name}\n")
    assert kubectl("logs", "job/one") == "I am one\n"
    assert kubectl("logs", "job/two") == "I am two\n"


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
def test_applying_an_unchanged_job_changes_nothing(kubectl, job, how):
    kubectl("apply", *how, "-f", "-", text=manifest("one"))
    before = job("one")
    kubectl("apply", *how, "-f", "-", text=manifest("one"))
    assert job("one") == before
    assert "selector" not in json.dumps(before["metadata"].get("managedFields", []))


def test_a_job_is_replaced_by_the_manifest_that_it_was_made_from(kubectl, job):
    kubectl("create", "-f", "-", text=manifest("one"))
    before = job("one")["spec"]
    kubectl("replace", "-f", "-", text=manifest("one", suspend=True))
    assert job("one")["spec"] == before | {"suspend": True}


def test_what_a_job_selects_is_not_changed(kubectl, job):
    kubectl("create", "-f", "-", text=manifest("one"))
    change = json.dumps({"spec": {"selector": {"matchLabels": {UID: "other"}}}})
    rejection = kubectl.fails("patch", "job", "one", "--type=merge", "-p", change)
    assert "spec.selector" in rejection
    assert "field is immutable" in rejection


def test_a_job_with_a_selector_of_its_owner_keeps_it(kubectl, job):
    own = {"matchLabels": {"app": "mine"}}
    kubectl("create", "-f", "-", text=manifest("one", manualSelector=True, selector=own))
    spec = job("one")["spec"]
    assert spec["selector"] == own
    assert spec["template"]["metadata"]["labels"] == {"app": "mine"}
