"""Label selectors of Kubernetes: requirements on the labels of an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One requirement, with the operators of `matchExpressions`."""

    key: str
    operator: str
    values: Sequence[str] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil it; none fulfil an operator that Kubernetes does not know."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                # As in Kubernetes: an object without the label is "not in" any set of values.
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        return False


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a `matchLabels` and `matchExpressions` selector selects; an empty one always does."""
    return all(requirement.holds(labels) for requirement in _requirements(selector or {}))


def _requirements(selector: Mapping[str, Any]) -> list[LabelRequirement]:
    equal = (selector.get("matchLabels") or {}).items()
    return [
        *(LabelRequirement(key, "In", (value,)) for key, value in equal),
        *(
            LabelRequirement(
                each.get("key", ""), each.get("operator", ""), each.get("values") or ()
            )
            for each in selector.get("matchExpressions") or []
        ),
    ]
