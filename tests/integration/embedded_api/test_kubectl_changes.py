"""`kubectl apply`, `diff`, `edit`, `label`, `annotate`, `patch`, `replace`, `set`, `delete`."""

from __future__ import annotations

import json

import pytest

FUNCTION = {
    "apiVersion": "knative-lambda.dev/v1alpha1", "kind": "LambdaFunction",
    "metadata": {"name": "one"},
    "spec": {"runtime": "python3.11", "source": {"inline": {"main.py": "x"}}},
}  # fmt: skip
JOB = {
    "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one", "labels": {"a": "1"}},
    "spec": {"suspend": True, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}],
    }}},
}  # fmt: skip
ACCOUNT = {
    "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "one"},
    "secrets": [{"name": "a"}],
}  # fmt: skip
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "one"},
    "data": {"a": "Yg=="},
}
KINDS = pytest.mark.parametrize(
    "item", [FUNCTION, JOB, ACCOUNT, SECRET], ids=["lf", "job", "sa", "secret"]
)


def _labelled(item, **labels):
    return json.dumps({**item, "metadata": {**item["metadata"], "labels": labels}})


def _get(kubectl, item, path):
    return kubectl("get", item["kind"].lower(), "one", "-o", f"jsonpath={{{path}}}")


@KINDS
def test_apply_changes_and_removes_what_it_said_before(kubectl, item):
    kubectl("apply", "-f", "-", text=_labelled(item, a="1", b="1"))
    assert "configured" in kubectl("apply", "-f", "-", text=_labelled(item, a="2"))
    assert _get(kubectl, item, ".metadata.labels") == '{"a":"2"}'
    assert "unchanged" in kubectl("apply", "-f", "-", text=_labelled(item, a="2"))


@KINDS
def test_apply_on_the_server_tells_whose_field_it_is(kubectl, item):
    kubectl("apply", "--server-side", "-f", "-", text=_labelled(item, a="1"))
    kubectl("label", "--overwrite", item["kind"].lower(), "one", "a=2")
    apply = ("apply", "--server-side", "-f", "-")
    assert "conflict with" in kubectl.fails(*apply, text=_labelled(item, a="3"))
    kubectl(*apply, "--force-conflicts", text=_labelled(item, a="3"))
    assert _get(kubectl, item, ".metadata.labels.a") == "3"


@KINDS
def test_diff_shows_what_apply_would_change_and_changes_nothing(kubectl, item):
    text = _labelled(item, a="1")
    kubectl("apply", "-f", "-", text=text)
    assert kubectl.run("diff", "-f", "-", text=text).returncode == 0
    changed = kubectl.run("diff", "-f", "-", text=_labelled(item, a="2"))
    assert changed.returncode == 1
    assert '+    a: "2"' in changed.stdout
    assert _get(kubectl, item, ".metadata.labels.a") == "1"


@KINDS
def test_edit_stores_what_the_editor_left(kubectl, item):
    kubectl("apply", "-f", "-", text=_labelled(item, a="before"))
    kind = item["kind"].lower()
    assert "edited" in kubectl("edit", kind, "one", EDITOR="sed -i s/before/after/")
    assert _get(kubectl, item, ".metadata.labels.a") == "after"


@KINDS
def test_labels_and_annotations_come_and_go(kubectl, item):
    kubectl("apply", "-f", "-", text=json.dumps(item))
    kind = item["kind"].lower()
    kubectl("label", kind, "one", "x=1")
    kubectl("annotate", kind, "one", "y=2")
    assert _get(kubectl, item, ".metadata.annotations.y") == "2"
    kubectl("label", kind, "one", "x-")
    assert _get(kubectl, item, ".metadata.labels.x") == ""


@KINDS
@pytest.mark.parametrize("form", ["merge", "json", "strategic"])
def test_patches_of_every_form(kubectl, item, form):
    kubectl("apply", "-f", "-", text=_labelled(item, a="1"))
    patch: object = {"metadata": {"labels": {"a": "2"}}}
    if form == "json":
        patch = [{"op": "replace", "path": "/metadata/labels/a", "value": "2"}]
    arguments = ("patch", item["kind"].lower(), "one", f"--type={form}", "-p", json.dumps(patch))
    if (form, item["kind"]) == ("strategic", "LambdaFunction"):
        # As on a cluster: nobody knows how a custom kind's lists are merged.
        assert "strategic" in kubectl.fails(*arguments)
    else:
        kubectl(*arguments)
        assert _get(kubectl, item, ".metadata.labels.a") == "2"


def test_a_patch_of_one_item_leaves_its_neighbours(kubectl):
    kubectl("apply", "-f", "-", text=json.dumps(ACCOUNT))
    kubectl("patch", "sa", "one", "-p", '{"secrets": [{"name": "b"}]}')
    assert _get(kubectl, ACCOUNT, ".secrets[*].name").split() in (["a", "b"], ["b", "a"])


def test_what_may_not_change_is_named(kubectl):
    kubectl("apply", "-f", "-", text=json.dumps(JOB))
    assert "immutable" in kubectl.fails("set", "image", "job/one", "c=y")


@KINDS
def test_replace_and_delete(kubectl, item):
    kubectl("create", "-f", "-", text=_labelled(item, a="1"))
    assert "replaced" in kubectl("replace", "-f", "-", text=_labelled(item, a="2"))
    assert "deleted" in kubectl("delete", item["kind"].lower(), "one", "--wait", "--timeout=10s")
    assert "NotFound" in kubectl.fails("get", item["kind"].lower(), "one")


def test_delete_waits_for_finalizers(kubectl):
    item = {**FUNCTION, "metadata": {"name": "one", "finalizers": ["knative-lambda.dev/test"]}}
    kubectl("create", "-f", "-", text=json.dumps(item))
    assert "timed out" in kubectl.fails("delete", "lf", "one", "--timeout=1s")
    kubectl("patch", "lf", "one", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    assert kubectl("get", "lf", "-o", "name") == ""
