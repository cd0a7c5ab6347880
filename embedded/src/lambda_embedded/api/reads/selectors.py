"""Label and field selectors, as written in `labelSelector` and `fieldSelector` of a query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_embedded.api.errors import bad_request
from lambda_embedded.store.label_selectors import LabelRequirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_embedded.store.objects import KubernetesObject


_KEY = r"(?P<key>[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_VALUE = r"(?P<value>([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?)"
_SET = re.compile(rf"{_KEY}\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(rf"{_KEY}\s*(?P<operator>==|=|!=)\s*{_VALUE}")
_EXISTENCE = re.compile(rf"(?P<operator>!?)\s*{_KEY}")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


class LabelSelector:
    """Requirements on labels; `ApiError` 400 for a malformed one."""

    def __init__(self, text: str) -> None:
        self._requirements = [_requirement(part) for part in _parts(text)]
        self.equal = {
            each.key: each.values[0]
            for each in self._requirements
            if each.operator == "In" and len(each.values) == 1
        }
        """Labels that every selected object carries, which an index can find."""

    def __call__(self, item: KubernetesObject) -> bool:
        """Whether the object's labels fulfil all requirements."""
        labels = item["metadata"].get("labels") or {}
        return all(requirement.holds(labels) for requirement in self._requirements)


def _parts(text: str) -> Iterator[str]:
    if not text.strip():
        return
    for part in _COMMA_OUTSIDE_PARENTHESES.split(text):
        yield part.strip()


def _requirement(text: str) -> LabelRequirement:
    if match := _SET.fullmatch(text):
        operator = "In" if match["operator"] == "in" else "NotIn"
        values = [value.strip() for value in match["values"].split(",")]
        return LabelRequirement(match["key"], operator, values)
    if match := _EQUALITY.fullmatch(text):
        operator = "NotIn" if match["operator"] == "!=" else "In"
        return LabelRequirement(match["key"], operator, (match["value"],))
    if match := _EXISTENCE.fullmatch(text):
        operator = "DoesNotExist" if match["operator"] else "Exists"
        return LabelRequirement(match["key"], operator)
    raise bad_request(f"labelSelector: unable to parse requirement {text!r}")


_FIELDS: dict[str, tuple[str, ...]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "status.phase": ("status", "phase"),
    "status.successful": ("status", "succeeded"),
    "spec.nodeName": ("spec", "nodeName"),
    "type": ("type",),
    "reason": ("reason",),
    "involvedObject.kind": ("involvedObject", "kind"),
    "involvedObject.name": ("involvedObject", "name"),
    "involvedObject.namespace": ("involvedObject", "namespace"),
    "involvedObject.uid": ("involvedObject", "uid"),
}
# What Kubernetes takes an absent field for; else an empty text.
_UNSET = {"status.successful": "0"}
_ANY_KIND = frozenset({"metadata.name", "metadata.namespace"})
_FIELDS_BY_KIND = {
    "Pod": _ANY_KIND | {"status.phase", "spec.nodeName"},
    "Job": _ANY_KIND | {"status.successful"},
    "Namespace": _ANY_KIND | {"status.phase"},
    "Event": _ANY_KIND | {field for field in _FIELDS if field.startswith("involved")}
    | {"type", "reason"},
}  # fmt: skip


class FieldSelector:
    """Requirements on a few fields; `equal_to` returns the only value that a field may have."""

    def __init__(self, kind: str, text: str) -> None:
        known = _FIELDS_BY_KIND.get(kind, _ANY_KIND)
        self._requirements = [_field_requirement(part, known) for part in _parts(text)]

    def equal_to(self, field: str) -> str | None:
        """Return the one value that the field must have, if there is one."""
        for name, value, equal in self._requirements:
            if name == field and equal:
                return value
        return None

    def __call__(self, item: KubernetesObject) -> bool:
        """Whether the object's fields fulfil all requirements."""
        return all(
            ((_value(item, _FIELDS[name]) or _UNSET.get(name, "")) == value) is equal
            for name, value, equal in self._requirements
        )


def _field_requirement(text: str, known: frozenset[str]) -> tuple[str, str, bool]:
    match = re.fullmatch(r"([A-Za-z.]+)(==|=|!=)(.*)", text)
    if match is None:
        raise bad_request(f"fieldSelector: unable to parse requirement {text!r}")
    name, operator, value = match.groups()
    if name not in known:
        raise bad_request(
            f"fieldSelector: field label not supported: {name}; "
            f"supported here: {', '.join(sorted(known))}"
        )
    return name, value, operator != "!="


def _value(item: KubernetesObject, path: tuple[str, ...]) -> str:
    value: object = item
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)
