"""`kubectl create`: newer ones send Kubernetes' protobuf, older ones JSON; both mean the same."""

from __future__ import annotations

import base64
import json

import pytest


def _data(kubectl, kind, name):
    return {
        key: base64.b64decode(value).decode()
        for key, value in json.loads(kubectl("get", kind, name, "-o", "json"))["data"].items()
    }


def test_secret_generic(kubectl):
    kubectl("create", "secret", "generic", "one", "--from-literal=a=b", "--from-literal=empty=")
    assert _data(kubectl, "secret", "one") == {"a": "b", "empty": ""}
    assert kubectl("get", "secret", "one", "-o", "jsonpath={.type}") == "Opaque"


def test_secret_docker_registry(kubectl):
    kubectl(
        "create", "secret", "docker-registry", "one", "--docker-server=registry.example",
        "--docker-username=ann", "--docker-password=pass",
    )  # fmt: skip
    config = json.loads(_data(kubectl, "secret", "one")[".dockerconfigjson"])
    assert config["auths"]["registry.example"]["username"] == "ann"


def test_secret_tls(kubectl, certificate_files):
    certificate, key = certificate_files
    kubectl("create", "secret", "tls", "one", f"--cert={certificate}", f"--key={key}")
    assert _data(kubectl, "secret", "one").keys() == {"tls.crt", "tls.key"}


def test_configmap_of_text_and_bytes(kubectl, tmp_path):
    (tmp_path / "picture").write_bytes(b"\xff\x00")
    kubectl("create", "configmap", "one", "--from-literal=a=b", f"--from-file={tmp_path}/picture")
    found = json.loads(kubectl("get", "cm", "one", "-o", "json"))
    assert (found["data"], found["binaryData"]) == ({"a": "b"}, {"picture": "/wA="})


def test_namespace_and_serviceaccount(kubectl, namespace):
    kubectl("create", "namespace", f"{namespace}-two")
    kubectl("create", "serviceaccount", "one", "-n", f"{namespace}-two")
    assert "one" in kubectl("get", "sa", "-n", f"{namespace}-two", "-o", "name")
    kubectl("delete", "namespace", f"{namespace}-two", "--timeout=10s")


def test_job(kubectl):
    kubectl("create", "job", "one", "--image=registry.example/x", "--", "echo", "hello")
    spec = json.loads(kubectl("get", "job", "one", "-o", "json"))["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert (container["image"], container["command"]) == ("registry.example/x", ["echo", "hello"])
    assert spec["restartPolicy"] == "Never"
    assert "workingDir" not in container


def test_what_is_there_already_is_told(kubectl):
    kubectl("create", "configmap", "one")
    assert "already exists" in kubectl.fails("create", "configmap", "one")


@pytest.mark.parametrize("dry_run", ["client", "server"])
def test_a_rehearsal_stores_nothing(kubectl, dry_run):
    kubectl("create", "configmap", "one", f"--dry-run={dry_run}")
    assert "not found" in kubectl.fails("get", "configmap", "one").lower()
