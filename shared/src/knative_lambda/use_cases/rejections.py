"""Tells the people of a namespace, and not only the Broker, why a request is rejected."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError, KnativeLambdaError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.events import Event
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import EventRecorder

_log = logging.getLogger(__name__)


@contextmanager
def rejections_recorded(
    event_recorder: EventRecorder, function: FunctionId, event: Event
) -> Iterator[None]:
    """Record an error after which the event is not tried again; every error is re-raised.

    Where it cannot be recorded, the log says so, and the original error is raised all the same.
    """
    try:
        yield
    except (InvalidEventError, PermanentError) as error:
        _record(event_recorder, function, event, error)
        raise


def _record(
    event_recorder: EventRecorder, function: FunctionId, event: Event, error: KnativeLambdaError
) -> None:
    try:
        event_recorder.record_rejection(function, event, error)
    except KnativeLambdaError as obstacle:
        _log.warning(
            "a rejection could not be recorded: %s",
            obstacle.message,
            extra={"event_id": event.id, "subject": event.subject, "reason": obstacle.reason},
        )
