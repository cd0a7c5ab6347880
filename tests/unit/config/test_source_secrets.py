"""Which Secrets of a tenant build-start may read where an overlay lets it."""

from __future__ import annotations

import yaml

from tests.helpers.dev_overlay import OBJECTS, REPOSITORY

FILE = REPOSITORY / "config/components/source-secrets/rights.yaml"


def test_the_right_to_secrets_of_a_tenant_is_one_to_read_them_by_their_names():
    role, binding = yaml.safe_load_all(FILE.read_text())
    (rule,) = role["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["source-credentials"],
        "verbs": ["get"],
    }
    assert binding["roleRef"]["kind"] == role["kind"] == "Role"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [(each["namespace"], each["name"]) for each in binding["subjects"]] == [
        ("knative-lambda", "build-start")
    ]


def test_no_tenant_has_it_unless_its_kustomization_says_so():
    assert "knative-lambda-source-secrets" not in [item["metadata"]["name"] for item in OBJECTS]
