"""Why a wish is refused, told to the people of its namespace and not to the Broker alone."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from knative_lambda.domain.errors import InvalidEventError, KnativeLambdaError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knative_lambda.domain.events import Event
    from knative_lambda.domain.names import FunctionId
    from knative_lambda.ports import Refusals

_log = logging.getLogger(__name__)


@contextmanager
def refusals_told(refusals: Refusals, function: FunctionId, event: Event) -> Iterator[None]:
    """Tell of an error after which the event is not tried again; every error is raised on.

    Where it cannot be told, the log says so, and the error stays the one that it is.
    """
    try:
        yield
    except (InvalidEventError, PermanentError) as error:
        _tell(refusals, function, event, error)
        raise


def _tell(
    refusals: Refusals, function: FunctionId, event: Event, error: KnativeLambdaError
) -> None:
    try:
        refusals.tell(function, event, error)
    except KnativeLambdaError as obstacle:
        _log.warning(
            "a refusal is not told: %s",
            obstacle.message,
            extra={"event_id": event.id, "subject": event.subject, "reason": obstacle.reason},
        )
