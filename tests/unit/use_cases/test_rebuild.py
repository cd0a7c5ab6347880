"""A lambda is built again from its record: by whom, from what, and what overtakes it."""

from datetime import timedelta

import pytest

from knative_lambda.domain.errors import InvalidEventError, NotReadyError
from knative_lambda.domain.events import (
    BUILD_COMPLETE,
    BUILD_PACKAGED,
    BUILD_STARTED,
    BUILD_SUPERSEDED,
    Rebuild,
)
from knative_lambda.domain.lambda_function import Phase
from knative_lambda.use_cases.rebuild import RebuildLambda
from tests.helpers.control_plane import BASE, HELLO, ControlPlane, asking

NEWER = {"source": asking("newer")}


class Rebuilt(ControlPlane):
    """A lambda that runs, and a base image with a fix."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.requests = []

    def rebuild(self, event=None, *, refresh=False):
        """Deliver rebuild."""
        use = RebuildLambda(records=self.records, start_build=self._start)
        return use(event or self.event(), HELLO, Rebuild(refresh=refresh))

    def fix_base_image(self):
        """Let an operator install a base image with a fix."""
        fixed = {"python3.11": f"{BASE.partition('@')[0]}@sha256:{'f' * 64}"}
        self.prepares(base_images=fixed)

    def _start(self, event, function, data, **options):
        self.requests.append(data)
        return self.start_build(event, function, data, **options)


@pytest.fixture
def world():
    return Rebuilt()


def test_the_request_is_what_the_record_says(world):
    world.deploy(env=[{"name": "A", "value": "1"}], setFields=["env.A"])
    before = world.record
    world.rebuild()
    assert world.record.spec == before.spec
    assert world.record.set_fields == ["env.A"]
    assert world.record.stamp != before.stamp


def test_refresh_is_passed_on(world):
    world.deploy()
    world.rebuild(refresh=True)
    world.rebuild()
    assert [request.refresh for request in world.requests] == [True, False]


def test_packages_that_are_too_old_for_a_deployment_are_not_installed_anew(world):
    """A base image with a fix comes on any day; only `refresh` asks for other packages."""
    world.deploy()
    before = world.record.status.packages
    world.clock.advance(timedelta(days=400))
    assert world.rebuild().type == BUILD_COMPLETE  # the image is there
    world.fix_base_image()
    rebuilt = world.rebuild()
    assert rebuilt.type == BUILD_PACKAGED
    world.go_on(rebuilt)
    assert [order.packages_tag for order in world.images.made] == 2 * [world.images.kept[0]]
    assert world.record.status.packages == before
    assert world.rebuild(refresh=True).type == BUILD_STARTED


def test_a_deployment_after_that_installs_old_packages_anew(world):
    world.deploy()
    world.clock.advance(timedelta(days=400))
    world.fix_base_image()
    world.go_on(world.rebuild())
    assert world.start().type == BUILD_STARTED


def test_a_second_delivery_replies_the_same(world):
    world.deploy()
    event = world.event()
    assert repr(world.rebuild(event)) == repr(world.rebuild(event))


def test_a_request_that_is_accepted_meanwhile_wins(world):
    world.deploy()
    event = world.event()
    world.start(**NEWER)
    assert world.rebuild(event).type == BUILD_SUPERSEDED
    assert world.record.spec.source.inline == asking("newer")["inline"]


def test_a_lambda_that_is_not_there_cannot_be_rebuilt(world):
    with pytest.raises(InvalidEventError, match="does not exist; deploy it"):
        world.rebuild()


def test_a_lambda_that_is_being_deleted_is_tried_again_later(world):
    world.deploy()
    status = world.record.status.model_copy(update={"phase": Phase.DELETING})
    world.records.replace_status(world.record.model_copy(update={"status": status}))
    with pytest.raises(NotReadyError):
        world.rebuild()
