"""cleanup tells which lambdas a new base image would change."""

import pytest

from knative_lambda.domain.events import MAX_OLD_BASE_IMAGES
from knative_lambda.domain.lambda_function import (
    BuildStatus,
    LambdaFunction,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    RequestStamp,
)
from knative_lambda.domain.names import FunctionId
from tests.helpers.control_plane import BASE, ControlPlane

OLD = BASE.replace("b" * 64, "a" * 64)


@pytest.fixture
def world():
    return ControlPlane()


def put(world, name="hello", *, base_image=OLD, runtime="python3.11"):
    source = {"inline": {"main.py": ""}}
    build = BuildStatus(id="1" * 64, request_id="r", base_image=base_image)
    world.records.create(
        LambdaFunction(
            id=FunctionId("default", name),
            spec=LambdaFunctionSpec.model_validate({"source": source, "runtime": runtime}),
            status=LambdaFunctionStatus(build=build),
            stamp=RequestStamp(time=world.clock.now(), event_id="r"),
        )
    )


def told(world):
    data = world.clean_up(dry_run=False).data
    return data.old_base_image_count, data.old_base_images


def test_a_lambda_that_was_built_on_another_base_image_is_named(world, caplog):
    put(world, "old")
    put(world, "new", base_image=BASE)
    with caplog.at_level("INFO"):
        assert told(world) == (1, ["default/old"])
    assert "1 lambdas stand on an old base image, such as default/old" in caplog.text


@pytest.mark.parametrize(
    ("base_image", "runtime"),
    [
        (BASE.replace("registry", "mirror.example.com"), "python3.11"),
        (None, "python3.11"),
        (OLD, "python3.1"),
    ],
    ids=["moved", "unknown", "gone"],
)
def test_what_building_again_would_not_change_is_not_named(world, base_image, runtime):
    put(world, base_image=base_image, runtime=runtime)
    assert told(world) == (0, [])


def test_of_many_only_some_are_named_and_all_are_counted(world):
    for number in range(MAX_OLD_BASE_IMAGES + 5):
        put(world, f"hello-{number}")
    count, names = told(world)
    assert (count, len(names)) == (MAX_OLD_BASE_IMAGES + 5, MAX_OLD_BASE_IMAGES)
