"""A record that changes between two polls, as the control plane changes it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from kn_lambda.cluster.events import new_event
from kn_lambda.deploying.watcher import DeploymentWatcher, Outcome
from kn_lambda.errors import TimedOutError
from knative_lambda.adapters.kubernetes.client import EVENTS, LAMBDA_FUNCTIONS, PODS
from knative_lambda.domain.errors import PlatformUnavailableError, SourceNotFoundError
from knative_lambda.domain.events import Event
from knative_lambda.domain.names import FunctionId
from knative_lambda.manifests.rejection_event import rejection_event
from tests.unit.cli.helpers.fakes import WISH_ID, WISH_TIME, FakePlatform, record, status

_HELLO = FunctionId("default", "hello")


@dataclass
class Steps:
    steps: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def log(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Story:
    """Each pause tells the next part."""

    platform: FakePlatform
    parts: list = field(default_factory=list)

    def __post_init__(self):
        self.event = new_event("t", {}, subject=str(_HELLO))
        self.steps = Steps()

    def record(self, **build):
        phase = build.pop("phase")
        stamp = {WISH_ID: self.event.attributes["id"], WISH_TIME: self.event.attributes["time"]}
        said = {"id": "b" * 64, "wishId": self.event.attributes["id"], **build}
        return record(annotations=stamp, status=status(phase=phase, build=said))

    def rejected(self, event_id=None):
        """The rejection of our request, or of another one for the same function."""
        attributes = self.event.attributes
        event = Event(id=event_id or attributes["id"], source=attributes["source"], type="t")
        error = SourceNotFoundError("nothing there", field="source.uri")
        return rejection_event(_HELLO, event, error, uid=None, at=datetime.now(UTC))

    def move_to_a_cluster(self):
        """The Broker of a cluster has no journal."""
        self.platform.http.responses.clear()
        installation = dataclasses.replace(self.platform.installation, is_embedded=False)
        self.platform.installation = installation

    def watch(self, replaces=None):
        watcher = DeploymentWatcher(
            self.platform.installation,
            _HELLO,
            self.event,
            "builds",
            self.steps,
            replaces=replaces,
            pause=self._next,
        )
        return watcher.watch(30)

    def _next(self, _seconds: float) -> None:
        part = self.parts.pop(0)
        if callable(part):
            part()
        elif part is None:
            del self.platform.api.objects[LAMBDA_FUNCTIONS.plural, "default", "hello"]
        else:
            self.platform.api.put(LAMBDA_FUNCTIONS, part)


@pytest.fixture
def story(fake_platform):
    return Story(fake_platform)


def test_the_steps_of_a_build_are_reported_once_each(story):
    story.parts = [
        story.record(phase="Building", job="j"),
        story.record(phase="Building", job="j"),
        story.record(phase="Deploying", job="j"),
        story.record(phase="Ready", job="j"),
    ]
    assert story.watch().outcome is Outcome.READY
    assert story.steps.steps == ["building", "deploying"]


def test_packages_that_are_used_again_are_named_once(story):
    story.parts = [
        story.record(phase="Building", packagesKey="k"),
        story.record(phase="Building", packagesKey="k"),
        story.record(phase="Ready", packagesKey="k"),
    ]
    story.watch()
    assert story.steps.steps == ["using the packages of before"]


def test_an_image_that_exists_uses_no_packages_again(story):
    story.parts = [
        story.record(phase="Deploying", packagesKey="k"),
        story.record(phase="Ready", packagesKey="k"),
    ]
    story.watch()
    assert story.steps.steps == ["deploying"]


def test_a_build_that_is_cancelled_while_it_waits_never_builds(story):
    waits = story.record(phase="Building", job="j")
    waits["status"]["conditions"] = [
        {"type": "BuildReady", "status": "Unknown", "reason": "Queued", "message": "1st of 1"}
    ]
    story.parts = [waits, story.record(phase="Failed", job="j", reason="Cancelled")]
    assert story.watch().outcome is Outcome.FAILED
    assert story.steps.steps == ["waiting: 1st of 1"]


def test_the_lines_of_the_build_are_shown_as_they_come_and_each_once(story):
    api = story.platform.api
    pod = {
        "metadata": {"namespace": "builds", "name": "p", "labels": {"job-name": "j"}},
        "spec": {"containers": [{"name": "build"}]},
    }
    path = f"{PODS.path('builds', 'p', 'log')}?build"

    def write(text):
        api.logs[path] = text

    story.parts = [
        story.record(phase="Building", job="j"),
        lambda: api.put(PODS, pod),
        lambda: write("one\nha"),
        lambda: write("one\nhalf\nlast\n"),
        story.record(phase="Ready", job="j"),
    ]
    story.watch()
    assert story.steps.lines == ["one", "half", "last"]


def test_an_older_settled_build_of_the_same_function_is_not_ours(story):
    old = record(
        annotations={WISH_ID: "old", WISH_TIME: "2020-01-01T00:00:00+00:00"},
        status=status(phase="Failed", build={"wishId": "old", "id": "b"}),
    )
    story.platform.api.put(LAMBDA_FUNCTIONS, old)
    story.parts = [old, story.record(phase="Ready")]
    assert story.watch().outcome is Outcome.READY


def test_our_request_on_a_record_that_shows_the_build_before_is_not_settled(story):
    ahead = story.record(phase="Failed")
    ahead["status"]["build"]["wishId"] = "old"
    story.parts = [ahead, story.record(phase="Ready")]
    assert story.watch().outcome is Outcome.READY


def test_a_newer_request_that_comes_later_supersedes_ours(story):
    newer = record(annotations={WISH_ID: "new", WISH_TIME: "2099-01-01T00:00:00+00:00"})
    story.parts = [story.record(phase="Building"), newer]
    assert story.watch().outcome is Outcome.SUPERSEDED


def test_a_request_that_replaces_another_waits_while_that_is_the_newest(story):
    old = {WISH_ID: "old", WISH_TIME: "2020-01-01T00:00:00+00:00"}
    story.platform.api.put(LAMBDA_FUNCTIONS, record(annotations=old))
    story.parts = [record(annotations=old), story.record(phase="Ready")]
    assert story.watch(replaces="old").outcome is Outcome.READY


def test_a_request_that_replaces_a_record_made_by_hand_waits_too(story):
    story.platform.api.put(LAMBDA_FUNCTIONS, record())
    story.parts = [story.record(phase="Ready")]
    assert story.watch(replaces="uid-hello/000001").outcome is Outcome.READY


def test_a_request_that_replaces_another_is_over_when_a_third_came_first(story):
    """Even an older one: the sender has not seen it."""
    story.move_to_a_cluster()
    third = record(annotations={WISH_ID: "third", WISH_TIME: "2020-01-01T00:00:00+00:00"})
    story.platform.api.put(LAMBDA_FUNCTIONS, third)
    assert story.watch(replaces="old").outcome is Outcome.SUPERSEDED


def test_a_request_that_replaces_another_is_over_when_the_record_is_gone(story):
    assert story.watch(replaces="old").outcome is Outcome.DELETED


def test_a_record_that_goes_was_deleted(story):
    story.parts = [story.record(phase="Building"), None]
    assert story.watch().outcome is Outcome.DELETED


def test_a_platform_that_restarts_is_waited_for(story, monkeypatch):
    def fail(*_):
        raise PlatformUnavailableError("no answer")

    find = story.platform.api.find
    story.parts = [
        lambda: monkeypatch.setattr(story.platform.api, "find", fail),
        lambda: monkeypatch.setattr(story.platform.api, "find", find),
        story.record(phase="Ready"),
    ]
    assert story.watch().outcome is Outcome.READY


def test_a_timeout_says_how_to_see_the_progress_later(story):
    watcher = DeploymentWatcher(
        story.platform.installation,
        _HELLO,
        story.event,
        "builds",
        story.steps,
        pause=lambda _: None,
    )
    with pytest.raises(TimedOutError) as raised:
        watcher.watch(0.0)
    assert "kn-lambda describe hello" in raised.value.hint


def test_a_retried_delivery_is_reported(story):
    def journal(state, attempts):
        entry = {
            "attributes": {"id": story.event.attributes["id"], "type": "t"},
            "triggers": [
                {"name": "build-start", "state": state, "attempts": attempts, "status": 503}
            ],
        }
        story.platform.http.respond("GET", "http://broker.test/-/events", 200, {"events": [entry]})

    journal("pending", 2)
    story.parts = [story.record(phase="Ready")]
    story.watch()
    (step,) = story.steps.steps
    assert step.startswith("build-start returned 503; the Broker will retry (see ")
    assert "kn-lambda logs build-start -n knative-lambda" in step


def test_a_request_that_is_rejected_on_a_cluster_is_over_with_the_reason(story):
    story.move_to_a_cluster()
    story.platform.api.put(EVENTS, story.rejected())
    result = story.watch()
    assert result.outcome is Outcome.REJECTED
    assert result.rejection.field == "source.uri"
    assert str(result.rejection) == "SourceNotFound: source.uri: nothing there"


def test_a_request_that_is_rejected_after_it_was_recorded_is_over_too(story):
    story.platform.api.put(LAMBDA_FUNCTIONS, story.record(phase="Pending"))
    story.platform.api.put(EVENTS, story.rejected())
    result = story.watch()
    assert (result.outcome, result.record is not None) == (Outcome.REJECTED, True)


def test_what_is_said_of_another_request_is_not_about_ours(story):
    story.platform.api.put(EVENTS, story.rejected("another"))
    story.parts = [story.record(phase="Building"), story.record(phase="Ready")]
    assert story.watch().outcome is Outcome.READY


def test_without_permission_to_read_events_it_waits_for_the_function(story, monkeypatch):
    find = story.platform.api.find

    def deny(resource, namespace, name):
        if resource is EVENTS:
            raise PlatformUnavailableError("403 events is forbidden")
        return find(resource, namespace, name)

    monkeypatch.setattr(story.platform.api, "find", deny)
    story.parts = [story.record(phase="Building"), story.record(phase="Ready")]
    assert story.watch().outcome is Outcome.READY
