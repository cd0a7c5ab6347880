"""`subscriber` and `delivery`: where events go, and how often they are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lambda_embedded.api.admission.webhooks.denial import invalid, missing, unknown
from lambda_embedded.eventing.delivery_spec import InvalidDeliverySpecError, parse_delivery_spec
from lambda_embedded.schemas.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFERENCE = ("kind", "name", "apiVersion")
# The last two are for Channels, and in no schema that names the fields.
_DELIVERY = frozenset(
    {"retry", "backoffPolicy", "backoffDelay", "deadLetterSink", "timeout", "retryAfterMax",
     "format"}
)  # fmt: skip


def destination_faults(value: object, at: str) -> Iterator[Cause]:
    """What is wrong with a destination: it needs a ref, an absolute URI, or a ref and a path."""
    destination = value if isinstance(value, dict) else {}
    reference, uri = destination.get("ref"), destination.get("uri")
    if reference is None and uri is None:
        yield Cause(f"{at}.ref, {at}.uri", "expected at least one, got none", "FieldValueRequired")
        return
    is_absolute = uri is not None and _is_absolute(uri)
    if reference is not None and is_absolute:
        yield Cause(f"{at}.ref, {at}.uri", "Absolute URI is not allowed when Ref is present")
    elif reference is None and not is_absolute:
        yield invalid("Relative URI is not allowed when Ref is absent", f"{at}.uri")
    if isinstance(reference, dict):
        yield from (missing(f"{at}.ref.{name}") for name in _REFERENCE if not reference.get(name))


def delivery_faults(spec: dict[str, Any], at: str = "spec") -> Iterator[Cause]:
    """What is wrong with `delivery` of a spec."""
    delivery = spec.get("delivery")
    if not isinstance(delivery, dict):
        return
    yield from (unknown(f"{at}.delivery.{name}") for name in delivery if name not in _DELIVERY)
    if "deadLetterSink" in delivery:
        yield from destination_faults(delivery["deadLetterSink"], f"{at}.delivery.deadLetterSink")
    try:
        parse_delivery_spec(delivery)
    except InvalidDeliverySpecError as error:
        field, _, message = str(error).partition(" ")
        yield Cause(f"{at}.{field}", f"invalid value: {message}")


def _is_absolute(uri: object) -> bool:
    try:
        parts = urlsplit(str(uri))
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
