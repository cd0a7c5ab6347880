"""What people may read of a build - its Job, Pods, logs and record - opens nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.helpers.world import with_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.helpers.world import World

ASKS = {"main.py": "", "requirements.txt": "beta\n"}


@pytest.fixture
def started(make_world: Callable[..., World]) -> tuple[World, dict[str, Any], dict[str, Any]]:
    """A world with a Job, its manifest and that of its Secret."""
    options, _, password = with_password()
    world = make_world(**options, package_index_url="http://index.invalid/simple")
    world.canaries.add("password of the index", password)
    world.start(ASKS)
    return world, *world.manifests()


def pod(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def test_whoever_may_read_jobs_pods_and_logs_finds_no_secret(started) -> None:
    world, job, secret = started
    assert world.canaries.found_in({"Job": json.dumps(job)}) == []
    assert world.leaks() == []
    # The search would find them: they are where they belong.
    names = {name for _, name in world.canaries.found_in({"Secret": json.dumps(secret)})}
    assert "password of the index" in names
    assert any(name.startswith(("URL of the result", "form of the result")) for name in names)
    assert "URL of the context" in names


def test_a_job_mounts_and_names_no_secret(started) -> None:
    """But its own, of which it reads four keys."""
    _, job, secret = started
    spec = pod(job)
    assert [each for each in spec["volumes"] if set(each) != {"name", "emptyDir"}] == []
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    assert "initContainers" not in spec
    assert "envFrom" not in container
    named = [each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each]
    assert {each["name"] for each in named} == {secret["metadata"]["name"]}
    assert {each["key"] for each in named} == {
        "CONTEXT_URL", "RESULT_URL", "RESULT_FIELDS", "PACKAGE_INDEX_CREDENTIALS",
    }  # fmt: skip
    assert container["command"][:2] == ["python", "-I"]


def test_the_secret_of_a_build_goes_with_its_job(started) -> None:
    _, job, secret = started
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", job["metadata"]["name"])
    assert secret["metadata"]["namespace"] == job["metadata"]["namespace"]
    assert secret["immutable"] is True


def test_a_job_is_bounded_as_the_documents_say(started) -> None:
    _, job, _ = started
    (container,) = pod(job)["containers"]
    limits = container["resources"]["limits"]
    assert (limits["cpu"], limits["memory"]) == ("2", "1Gi")
    assert "ephemeral-storage" in limits
    assert job["spec"]["activeDeadlineSeconds"] > 0
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert pod(job)["securityContext"]["runAsNonRoot"] is True
