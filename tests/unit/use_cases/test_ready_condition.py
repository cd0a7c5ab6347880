"""`kubectl wait --for=condition=Ready` works on a record from its request to its end."""

from __future__ import annotations

import pytest

from knative_lambda.domain.build import BuildFailure
from knative_lambda.domain.deployment import ServiceState
from knative_lambda.domain.errors import NotReadyError
from knative_lambda.domain.lambda_function import Phase
from tests.helpers.control_plane import HELLO, ControlPlane, asking

BROKEN = BuildFailure(reason="RequirementNotFound", message="no such package", is_users=True)


def ready(world):
    (condition,) = [c for c in world.record.status.conditions if c.type == "Ready"]
    return condition.status, condition.reason


def test_a_lambda_that_is_built_is_not_known_to_be_ready():
    world = ControlPlane()
    world.start()
    assert ready(world) == ("Unknown", "Building")


def test_a_lambda_that_answers_is_ready():
    world = ControlPlane()
    world.deploy()
    assert ready(world) == ("True", "")


def test_a_lambda_whose_build_failed_is_not_ready():
    world = ControlPlane()
    job = world.start().data.job
    world.jobs.fail(job, BROKEN)
    world.job_changed(job)
    assert ready(world) == ("False", "RequirementNotFound")


@pytest.mark.parametrize("serves", [False, True], ids=["nothing serves", "requests are answered"])
def test_a_lambda_that_does_not_start_is_not_ready(serves):
    world = ControlPlane()
    job = world.start().data.job
    world.finish(job)
    world.services.outcome = ServiceState(ready=False, failure_reason="Broken", serves=serves)
    world.job_changed(job)
    assert ready(world) == ("False", "Broken")


def test_a_new_request_makes_a_ready_lambda_unknown_again():
    world = ControlPlane()
    world.deploy()
    world.start(timeoutSeconds=5, source=asking("def handler(event): 2"))
    assert ready(world) == ("Unknown", "Building")
    assert world.record.status.observed_generation == world.record.generation


def test_a_lambda_that_is_deleted_is_not_ready():
    world = ControlPlane()
    world.deploy()

    def stuck(_function):
        raise NotReadyError("a Service does not go")

    world.services.delete = stuck
    with pytest.raises(NotReadyError):
        world.delete_lambda(world.event(), HELLO)
    assert world.record.status.phase is Phase.DELETING
    assert ready(world) == ("False", "Deleting")
