import importlib
import logging
import pkgutil
from datetime import timedelta

import pytest

import knative_lambda.adapters
from knative_lambda.domain.errors import (
    InvalidContentError,
    InvalidEventError,
    KnativeLambdaError,
    PermanentError,
    PlatformUnavailableError,
    RetryableError,
    SourceNotFoundError,
    ThrottledError,
)
from knative_lambda.domain.events import Event
from knative_lambda.inbound.endpoint import STATUS_BY_ERROR
from knative_lambda.use_cases.rejections import rejections_recorded
from tests.helpers.control_plane import HELLO, ControlPlane
from tests.helpers.fakes_platform import InMemoryEventRecorder

EVENT = Event(id="1", source="/test", type="t", subject=str(HELLO))


def every_error():
    adapters = knative_lambda.adapters
    for module in pkgutil.walk_packages(adapters.__path__, f"{adapters.__name__}."):
        importlib.import_module(module.name)
    found = [KnativeLambdaError]
    for cls in found:
        found += cls.__subclasses__()
    return [cls for cls in found[1:] if cls.__module__.startswith("knative_lambda.")]


def is_tried_again(cls):
    status = next(STATUS_BY_ERROR[each] for each in cls.__mro__ if each in STATUS_BY_ERROR)
    return status == 429 or status >= 500


def made(cls):
    needed = {
        ThrottledError: {"retry_after": timedelta(seconds=1)},
        InvalidContentError: {"reason": "Broken"},
    }
    return cls("no", **needed.get(cls, {}))


def told_of(error, event_recorder=None):
    event_recorder = event_recorder or InMemoryEventRecorder()
    with pytest.raises(type(error)) as raised, rejections_recorded(event_recorder, HELLO, EVENT):
        raise error
    assert raised.value is error
    return getattr(event_recorder, "told", {})


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_what_the_broker_does_not_try_again_is_told_and_nothing_else(cls):
    error = made(cls)
    wanted = {} if is_tried_again(cls) else {(HELLO, "/test", "1"): error}
    assert told_of(error) == wanted


def test_a_bug_of_ours_is_not_told():
    assert told_of(ValueError("a bug")) == {}


def test_what_works_is_not_told():
    event_recorder = InMemoryEventRecorder()
    with rejections_recorded(event_recorder, HELLO, EVENT):
        pass
    assert event_recorder.told == {}


@pytest.mark.parametrize("obstacle", [PlatformUnavailableError, PermanentError, RetryableError])
def test_where_it_cannot_be_told_the_log_says_so_and_the_rejection_stands(caplog, obstacle):
    class Unable:
        def record_rejection(self, *_):
            raise obstacle("403 forbidden")

    with caplog.at_level(logging.WARNING):
        told_of(SourceNotFoundError("nothing there"), Unable())
    (record,) = caplog.records
    assert "403 forbidden" in record.getMessage()
    assert (record.event_id, record.subject) == ("1", "default/hello")


def test_a_request_whose_source_is_not_there_is_told_once_and_changes_nothing():
    world = ControlPlane()
    event = world.event()
    for _ in range(2):
        with pytest.raises(SourceNotFoundError):
            world.start(event, source={"uri": "s3://sources/default/none.zip"})
    ((_, _, event_id),) = world.event_recorder.told
    assert event_id == event.id
    assert world.record is None


def test_a_rejected_request_is_told_though_a_newer_one_is_there():
    world = ControlPlane()
    old = world.event(time=None)
    world.start()
    with pytest.raises(InvalidEventError):
        world.start(old)
    assert [event_id for _, _, event_id in world.event_recorder.told] == [old.id]
