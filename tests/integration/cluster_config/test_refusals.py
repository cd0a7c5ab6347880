"""What a real API server says when it refuses for good, and when it may take the same later."""

from __future__ import annotations

from contextlib import closing

import pytest

from knative_lambda.adapters.kubernetes.client import CONFIG_MAPS, LAMBDA_FUNCTIONS, KubernetesApi
from knative_lambda.domain.errors import PlatformUnavailableError, RejectedByPlatformError
from tests.helpers.platforms import eventually
from tests.integration.cluster_config.helpers.records import record

pytestmark = pytest.mark.xdist_group("api-server")

NAMESPACE = "with-quota"
QUOTAS = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def api(installed):
    with closing(KubernetesApi(kubeconfig=str(installed.kubeconfig))) as api:
        yield api


def error_of(call, *arguments):
    try:
        call(*arguments)
    except (PlatformUnavailableError, RejectedByPlatformError) as error:
        return error
    return None


@pytest.mark.parametrize("size", [1.6, 2.5, 4])
def test_what_is_too_large_is_refused_for_good(api, size):
    """Once by etcd, once on the way to it, once by the API server."""
    source = {"inline": {f"{number}.py": "x" * 100_000 for number in range(int(size * 10.5))}}
    item = record("large", spec={"source": source, "runtime": "python3.11"})
    item["metadata"]["namespace"] = "default"
    assert isinstance(error_of(api.create, LAMBDA_FUNCTIONS, item), RejectedByPlatformError)


def test_a_quota_may_be_counted_later_and_is_named_when_it_is_used_up(installed, api):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    installed.request("POST", "/api/v1/namespaces", namespace)
    metadata = {"name": "small", "namespace": NAMESPACE}
    hard = {"count/configmaps": "1"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    assert installed.request("POST", QUOTAS, quota | {"spec": {"hard": hard}})[0] == 201
    # The server knows of the quota a moment later, and takes some until then.
    names = {"generateName": "c-", "namespace": NAMESPACE}
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": names}

    def refused_as(kind, words):
        def check():
            error = error_of(api.create, CONFIG_MAPS, item)
            return isinstance(error, kind) and words in error.message

        return check

    def count(used):
        """What the quota controller does, in its own time."""
        _, now = installed.request("GET", f"{QUOTAS}/small")
        now["status"] = {"hard": hard, "used": used}
        assert installed.request("PUT", f"{QUOTAS}/small/status", now)[0] == 200

    count({})
    eventually(refused_as(PlatformUnavailableError, "status unknown for quota: small"))
    count(hard)
    eventually(refused_as(RejectedByPlatformError, "the ResourceQuota small is used up"))
