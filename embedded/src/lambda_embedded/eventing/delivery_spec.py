"""`spec.delivery` of Broker and Trigger: how often and when an event is sent again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)
# To a person who looks at a pending delivery, a longer wait would mean "never".
_LONGEST_WAIT = timedelta(days=1)


class InvalidDeliverySpecError(ValueError):
    """A field of a delivery spec cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class DeliverySpec:
    """When to try again; the defaults are those that Knative ships for a Broker without a spec."""

    retry: int = 10
    exponential: bool | None = True
    backoff_delay: timedelta = timedelta(seconds=0.2)
    timeout: timedelta = timedelta(minutes=5)  # Knative Serving's limit of a request
    retry_after_max: timedelta | None = None

    def wait(self, attempts: int, retry_after: timedelta | None) -> timedelta | None:
        """Return the wait after `attempts` failures, or None when they are exhausted."""
        if attempts > self.retry:
            return None
        retries = attempts - 1
        factor = 2 ** min(retries, 40) if self.exponential else retries
        backoff = timedelta() if self.exponential is None else _times(self.backoff_delay, factor)
        requested = retry_after or timedelta()
        if self.retry_after_max is not None:
            requested = min(requested, self.retry_after_max)
        return min(max(backoff, requested), _LONGEST_WAIT)


def parse_delivery_spec(spec: Mapping[str, Any] | None) -> DeliverySpec:
    """Read a delivery spec; None means the default. `InvalidDeliverySpecError` names the field."""
    if spec is None:
        return DeliverySpec()
    retry = spec.get("retry", 0)
    if isinstance(retry, bool) or not isinstance(retry, int) or retry < 0:
        raise InvalidDeliverySpecError("delivery.retry must be a whole number from 0")
    policy, delay = spec.get("backoffPolicy"), _duration(spec, "backoffDelay")
    if policy not in {None, "linear", "exponential"}:
        raise InvalidDeliverySpecError("delivery.backoffPolicy must be linear or exponential")
    return DeliverySpec(
        retry=retry,
        # As on Knative, waits need both fields; with one of them alone the retry is immediate.
        exponential=None if policy is None or delay is None else policy == "exponential",
        backoff_delay=delay or timedelta(),
        timeout=_duration(spec, "timeout") or DeliverySpec().timeout,
        retry_after_max=_duration(spec, "retryAfterMax"),
    )


def parse_duration(text: str) -> timedelta | None:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds; None if invalid."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    parts = {name: float(value.replace(",", ".")) for name, value in match.groupdict("0").items()}
    try:
        return timedelta(**parts)
    except OverflowError:
        return None


def parse_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds or an HTTP date; None when absent or unreadable."""
    if text is None:
        return None
    try:
        if text.strip().isdigit():
            return timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())


def _duration(spec: Mapping[str, Any], field: str) -> timedelta | None:
    text = spec.get(field)
    if text is None:
        return None
    duration = parse_duration(text) if isinstance(text, str) else None
    if duration is None:
        raise InvalidDeliverySpecError(
            f"delivery.{field} must be an ISO 8601 duration such as PT0.5S"
        )
    return duration


def _times(delay: timedelta, factor: int) -> timedelta:
    try:
        return delay * factor
    except OverflowError:
        return _LONGEST_WAIT
