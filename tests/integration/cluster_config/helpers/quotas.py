"""What the quota controller does."""

from __future__ import annotations

from tests.integration.cluster_config.helpers.lambda_lifecycles import BUILDS


def set_quota(server):
    """What the quota controller does: without it nothing is known to be free."""
    path = f"/api/v1/namespaces/{BUILDS}/resourcequotas/builds"
    _, quota = server.request("GET", path)
    hard = quota["spec"]["hard"]
    quota["status"] = {"hard": hard, "used": dict.fromkeys(hard, "0")}
    assert server.request("PUT", f"{path}/status", quota)[0] == 200
