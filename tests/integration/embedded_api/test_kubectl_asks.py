"""`kubectl auth`, and what it is told where a cluster has more than the embedded platform."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "question",
    [("get", "pods"), ("create", "lf"), ("get", "pods", "--subresource=log"),
     ("get", "pods/log"), ("get", "pods/one"), ("*", "secrets"),
     ("update", "jobs", "--subresource=status"), ("get", "/healthz")],
)  # fmt: skip
def test_the_one_user_may_do_what_is_served(kubectl, question):
    assert kubectl("auth", "can-i", *question).strip() == "yes"


@pytest.mark.parametrize(
    "question",
    [("create", "deployments.apps"), ("create", "pods", "--subresource=exec"), ("get", "nodes"),
     ("create", "pods/exec"), ("get", "pods/exec"), ("create", "pod/portforward"),
     ("create", "pods/attach"), ("create", "pods/eviction"), ("create", "serviceaccounts/token")],
)  # fmt: skip
def test_what_is_not_served_nobody_may_do(kubectl, question):
    asked = kubectl.run("auth", "can-i", *question)
    assert asked.stdout.startswith("no")
    assert asked.returncode == 1


def test_all_that_may_be_done_is_listed(kubectl):
    shown = kubectl("auth", "can-i", "--list")
    assert "lambdafunctions.knative-lambda.dev" in shown
    assert "pods/log" in shown


def test_whoami(kubectl):
    asked = kubectl.run("auth", "whoami")
    if "unknown command" in asked.stderr:
        pytest.skip("this kubectl is older than `kubectl auth whoami`")
    assert "kn-lambda-embedded" in asked.stdout


def test_nobody_is_impersonated(kubectl):
    assert "leave out --as" in kubectl.fails("get", "cm", "--as=bob")


@pytest.mark.parametrize(
    ("command", "way_out"),
    [
        (("create", "deployment", "one", "--image=x"), "make a LambdaFunction"),
        (("create", "role", "one", "--verb=get", "--resource=pods"), "try roles on a cluster"),
        (("create", "quota", "one"), "try quotas on a cluster"),
        (("get", "--raw", "/api/v1/nodes"), "this one machine"),
        (("get", "--raw", "/apis/example.com/v1/things"), "kubectl api-resources"),
        (("exec", "one", "--", "ls"), "a container is a process of this machine"),
        (("attach", "one"), "a container is a process of this machine"),
        (("port-forward", "pod/one", "0:80"), "a container is a process of this machine"),
    ],
)
def test_what_is_not_served_names_the_way_out(kubectl, running_api, namespace, command, way_out):
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "x", "stdin": True}]},
        "status": {"phase": "Running"},
    }  # fmt: skip
    running_api.call(running_api.objects.create, "Pod", pod)
    assert way_out in kubectl.fails(*command)


def test_a_pod_that_nobody_will_run_comes_with_a_warning(kubectl):
    made = kubectl.run("run", "one", "--image=x")
    assert made.returncode == 0
    assert "create a Job" in made.stderr
