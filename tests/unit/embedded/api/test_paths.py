from __future__ import annotations

import pytest

from lambda_embedded.api.paths import ALL_NAMESPACES, parse_path


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/v1/pods", ("Pod", ALL_NAMESPACES, "", "")),
        ("/api/v1/namespaces", ("Namespace", "", "", "")),
        ("/api/v1/namespaces/a", ("Namespace", "", "a", "")),
        ("/api/v1/namespaces/a/status", ("Namespace", "", "a", "status")),
        ("/api/v1/namespaces/a/pods", ("Pod", "a", "", "")),
        ("/api/v1/namespaces/a/pods/b/log", ("Pod", "a", "b", "log")),
        ("/apis/batch/v1/namespaces/a/jobs/b", ("Job", "a", "b", "")),
        ("/apis/batch/v1/namespaces/a/jobs/b/status", ("Job", "a", "b", "status")),
        ("/apis/serving.knative.dev/v1/services", ("Service", ALL_NAMESPACES, "", "")),
    ],
)
def test_a_path_names_a_target(path, found):
    target = parse_path(path)
    assert target is not None
    assert (target.kind.kind, target.namespace, target.name, target.subresource) == found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v2/pods",
        "/api/v1/services",
        "/apis/batch/v1beta1/jobs",
        "/apis/batch/v1/jobs/name",
        "/apis/batch/v1/namespaces/a/jobs/b/log",
        "/apis/batch/v1/namespaces/a/jobs/b/status/c",
        "/apis/batch/v1/namespaces//jobs/b",
        "/api/v1/namespaces/a/namespaces/b",
        "/api/v1/namespaces/a/configmaps/b/status",
    ],
)
def test_other_paths_name_nothing(path):
    assert parse_path(path) is None
