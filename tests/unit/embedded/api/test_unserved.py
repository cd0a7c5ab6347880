"""What is not served says so, and says the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_embedded.api.discovery.unserved import unserved

CONTRACT = Path(__file__).parents[4] / "docs" / "API_CONTRACT.md"


@pytest.mark.parametrize(
    ("path", "what", "way_out"),
    [
        ("/api/v1/namespaces/n/pods/p/exec", "pods/exec", "kubectl logs"),
        ("/api/v1/namespaces/n/serviceaccounts/s/token", "serviceaccounts/token", "token"),
        ("/api/v1/services", "services", "ksvc"),
        ("/apis/apps/v1/namespaces/n/deployments", "apps/deployments", "make a LambdaFunction"),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/x", "clusterroles", "roles on a cluster"),
        ("/apis/serving.knative.dev/v1/namespaces/n/routes", "routes", "kubectl api-resources"),
        ("/apis/apps/v1", "apps", "make a LambdaFunction"),
    ],
)
def test_the_message_names_what_and_the_way_out(path, what, way_out):
    message = unserved(path).message
    assert f"does not serve {what}" in message or f"/{what}" in message
    assert way_out in message


@pytest.mark.parametrize("path", ["/", "/metrics", "/api", "/apis/x", "//", "/api/v2/pods"])
def test_other_paths_are_plainly_not_there(path):
    error = unserved(path)
    assert error.code == 404
    assert error.message == "the server could not find the requested resource"


def test_a_path_without_end_has_a_short_message():
    assert len(unserved("/apis/" + "x" * 9000 + "/v1/y").message) < 600


def test_the_page_that_is_named_has_the_section():
    assert "\n## The embedded Kubernetes API\n" in CONTRACT.read_text()
    assert "'The embedded Kubernetes API'" in unserved("/apis/apps/v1").message
