"""The stamp of the request in an event: it puts build.start and delete in one order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from knative_lambda.domain import events
from knative_lambda.domain.errors import InvalidEventError
from knative_lambda.domain.events import BuildSuperseded
from knative_lambda.domain.lambda_function import RequestStamp

if TYPE_CHECKING:
    from knative_lambda.domain.events import Event, Reply
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import Clock

# Clocks of senders differ; a request from the far future would block every later one.
_CLOCK_SKEW = timedelta(minutes=5)


def read_stamp(event: Event, clock: Clock) -> RequestStamp:
    """Return the event's place in the order; `InvalidEventError` where it can have none."""
    if event.time is None:
        raise InvalidEventError("needs a time, which puts requests in order", field="time")
    if event.time > clock.now() + _CLOCK_SKEW:
        raise InvalidEventError("lies in the future; check the sender's clock", field="time")
    return RequestStamp(time=event.time, event_id=event.id)


def is_overtaken(stamp: RequestStamp, newest: RequestStamp, clock: Clock) -> bool:
    """Whether the newest request in a record came after this one.

    None came from the far future: whoever wrote such a time by hand would block every later event.
    """
    return stamp.is_older_than(newest) and newest.time <= clock.now() + _CLOCK_SKEW


def superseded(function: FunctionId, newer: RequestStamp) -> Reply:
    """Reply to a request that a newer one overtook."""
    data = BuildSuperseded(accepted_time=newer.time, accepted_event_id=newer.event_id)
    return events.Reply(type=events.BUILD_SUPERSEDED, function=function, data=data)
