"""HTTP headers that travel with an event through the Broker: the trace and what Knative forwards.

Knative's filter forwards `x-request-id` and the prefixes below; its tracing forwards the trace
context and Zipkin's form of it (`x-b3-`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from knative_lambda.inbound.valid_event import CloudEvent

NAMESPACE = "kn-namespace"
"""Header of every delivery: the namespace of its Trigger."""

_TRACE = ("traceparent", "tracestate")
_NAMES = {"x-request-id", *_TRACE}
_PREFIXES = ("knative-", "kn-", "k-eventing-", "x-b3-")
# They are stored with every event.
_MAX_BYTES = 8 * 1024


def forwarded_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that subscribers get as well; those beyond 8 KiB are left out."""
    forwarded: dict[str, str] = {}
    left = _MAX_BYTES
    for name, value in headers:
        lower = name.lower()
        is_forwarded = lower in _NAMES or lower.startswith(_PREFIXES)
        left -= len(lower) + len(value) if is_forwarded else 0
        if not is_forwarded or left < 0 or not (value.isascii() and value.isprintable()):
            continue
        forwarded[lower] = f"{forwarded[lower]},{value}" if lower in forwarded else value
    return forwarded


def reply_headers(own: Mapping[str, str], event: Mapping[str, str]) -> dict[str, str]:
    """Return the trace of a reply: its own, else that of the event it replies to."""
    trace = own if "traceparent" in own else event
    return {name: trace[name] for name in _TRACE if name in trace}


def traced_reply(reply: CloudEvent, event: CloudEvent) -> CloudEvent:
    """Return a reply whose attributes hold the trace of the event, unless it has its own."""
    if "traceparent" in reply.attributes or "traceparent" not in event.attributes:
        return reply
    return reply.extended(
        {name: event.attributes[name] for name in _TRACE if name in event.attributes}
    )
