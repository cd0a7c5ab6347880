"""A tenant that a command makes is one in which lambdas run, until a command takes it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.helpers.embedded_platform import EmbeddedPlatform

TEAM = "a-team"
NAMESPACE = f"/api/v1/namespaces/{TEAM}"
SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{TEAM}/services"
HELLO = "def handler(event):\n    return {'hello': event.data['name']}\n"


def run(platform: EmbeddedPlatform, *arguments: str | Path) -> str:
    done = platform.kn_lambda(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_tenant_from_its_first_lambda_to_its_end(platform: EmbeddedPlatform, tmp_path: Path):
    run(platform, "tenant", "add", TEAM)
    (tmp_path / "main.py").write_text(HELLO)
    run(platform, "deploy", tmp_path, "--name", "hello", "-n", TEAM)
    answer = run(platform, "invoke", "hello", "-n", TEAM, "--data", '{"name": "Ada"}')
    assert json.loads(answer) == {"hello": "Ada"}

    tenants = {
        each["name"]: each for each in json.loads(run(platform, "tenant", "list", "-o", "json"))
    }
    assert tenants[TEAM]["lambdas"] == {"Ready": 1}
    described = json.loads(run(platform, "tenant", "describe", TEAM, "-o", "json"))
    assert (described["broker"], described["drift"]) == ("ready", [])

    refused = platform.kn_lambda("tenant", "remove", TEAM, "--yes")
    assert (refused.returncode, "--delete-lambdas" in refused.stderr) == (1, True)
    run(platform, "tenant", "remove", TEAM, "--yes", "--delete-lambdas", "--delete-namespace")
    assert platform.api("GET", SERVICES).data["items"] == []
    wait_for(lambda: platform.api("GET", NAMESPACE).status == 404)
    assert TEAM not in run(platform, "tenant", "list")


def test_default_is_a_tenant_in_order_and_stays_one(platform: EmbeddedPlatform):
    described = json.loads(run(platform, "tenant", "describe", "default", "-o", "json"))
    assert described["broker"] == "ready"
    refused = platform.kn_lambda("tenant", "remove", "default", "--yes", "--delete-lambdas")
    assert refused.returncode == 2
    assert "stays a tenant of the embedded platform" in refused.stderr
