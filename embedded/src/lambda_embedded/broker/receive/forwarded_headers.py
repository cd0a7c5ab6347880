"""HTTP headers that go with an event through the Broker: the trace, and what Knative lets by.

Knative's filter hands on `x-request-id` and these prefixes; the trace context and Zipkin's form of
it (`x-b3-`) go on by its tracing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from knative_lambda.inbound.valid_event import CloudEvent

NAMESPACE = "kn-namespace"
"""Says in which namespace the Trigger is that an event is delivered for."""

_TRACE = ("traceparent", "tracestate")
_NAMES = {"x-request-id", *_TRACE}
_PREFIXES = ("knative-", "kn-", "k-eventing-", "x-b3-")
# They are stored with every event.
_MAX_BYTES = 8 * 1024


def carried_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what of a request's headers goes on to subscribers; what is over 8 KiB is left out."""
    carried: dict[str, str] = {}
    left = _MAX_BYTES
    for name, value in headers:
        lower = name.lower()
        is_carried = lower in _NAMES or lower.startswith(_PREFIXES)
        left -= len(lower) + len(value) if is_carried else 0
        if not is_carried or left < 0 or not (value.isascii() and value.isprintable()):
            continue
        carried[lower] = f"{carried[lower]},{value}" if lower in carried else value
    return carried


def headers_of_reply(own: Mapping[str, str], event: Mapping[str, str]) -> dict[str, str]:
    """Return the trace of a reply: its own, or else that of the event that it answers."""
    trace = own if "traceparent" in own else event
    return {name: trace[name] for name in _TRACE if name in trace}


def traced_reply(reply: CloudEvent, event: CloudEvent) -> CloudEvent:
    """Return a reply with the trace of the event in its attributes, where it has none there."""
    if "traceparent" in reply.attributes or "traceparent" not in event.attributes:
        return reply
    return reply.extended(
        {name: event.attributes[name] for name in _TRACE if name in event.attributes}
    )
