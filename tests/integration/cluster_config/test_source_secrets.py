"""The component `source-secrets` on a real API server, with kustomize's own reader."""

from __future__ import annotations

import os

import pytest

from tests.helpers.api_server import REPOSITORY

pytestmark = pytest.mark.xdist_group("api-server")

COMPONENT = REPOSITORY / "config/components/source-secrets"
BUILD_START = "system:serviceaccount:knative-lambda:build-start"


@pytest.fixture
def listed(installed, tmp_path):
    """A tenant that lists one name more than the component does."""
    for namespace in ("listed", "unlisted"):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        installed.request("POST", "/api/v1/namespaces", body)
    # As kustomize wants it, and as docs/OPERATIONS.md shows it.
    (tmp_path / "kustomization.yaml").write_text(
        "namespace: listed\n"
        f"components: [{os.path.relpath(COMPONENT, tmp_path.resolve())}]\n"
        "patches:\n"
        "  - target: {kind: Role, name: knative-lambda-source-secrets}\n"
        "    patch: |-\n"
        "      - {op: replace, path: /rules/0/resourceNames,"
        " value: [source-credentials, deploy-token]}\n"
    )
    installed.run("apply", "-k", str(tmp_path))
    return installed


def may(server, verb, namespace, name=""):
    attributes = {"group": "", "resource": "secrets", "verb": verb, "name": name}
    groups = ["system:serviceaccounts", "system:authenticated"]
    return server.may(BUILD_START, groups, attributes | {"namespace": namespace})


def test_build_start_reads_the_secrets_that_are_listed_and_no_other(listed):
    for name in ("source-credentials", "deploy-token"):
        assert may(listed, "get", "listed", name)
        assert not may(listed, "get", "unlisted", name)
    for name in ("knative-lambda-pull", "other", ""):
        assert not may(listed, "get", "listed", name)
    for verb in ("list", "watch", "create", "update", "patch", "delete"):
        assert not may(listed, verb, "listed", "source-credentials")
