"""What a deployment changes in the settings of a function: names of variables, never values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.settings import env_path, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kn_lambda.deploying.settings_change import AppliedSettings

_UNSHOWN = ("source", "env")


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field of the spec before and after; None where it is absent."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Variables by name, other fields with their values, and where set fields come from."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]
    fields: Sequence[FieldChange]
    set_fields: Sequence[str]
    hidden: Sequence[str]

    def lines(self) -> Iterator[str]:
        """Yield what people read: nothing where nothing changed and no option set anything."""
        signs = (("+", self.added), ("~", self.changed), ("-", self.removed))
        parts = [f"{sign} {name}" for sign, names in signs for name in names]
        if parts:
            yield f"env: {', '.join(parts)}"
        for change in self.fields:
            yield _field_line(change)
        if kept := self._kept():
            yield f"kept from the command line: {_names(kept)}"
        if self.hidden:
            yield f"hides function.yaml: {_names(self.hidden)} (--unset NAME follows it again)"

    def to_json(self) -> dict[str, Any]:
        """Return the part `changes` of a document."""
        return {
            "env": {
                "added": list(self.added),
                "changed": list(self.changed),
                "removed": list(self.removed),
            },
            "fields": [
                {"field": each.field, "before": each.before, "after": each.after}
                for each in self.fields
            ],
            "setFields": list(self.set_fields),
            "hidden": list(self.hidden),
        }

    def _kept(self) -> list[str]:
        new = {env_path(name) for name in (*self.added, *self.changed)}
        new |= {change.field for change in self.fields}
        return [path for path in self.set_fields if path not in new]


def find_changes(before: Mapping[str, Any] | None, applied: AppliedSettings) -> Changes:
    """Compare a valid spec with the one before; of a new function only the variables are new."""
    old_env, new_env = _variables(before or {}), _variables(applied.spec)
    old_fields, new_fields = dict(_leaves(before or {})), dict(_leaves(applied.spec))
    fields = [
        FieldChange(field=path, before=old_fields.get(path), after=new_fields.get(path))
        for path in sorted(old_fields.keys() | new_fields.keys())
        if old_fields.get(path) != new_fields.get(path)
    ]
    return Changes(
        added=sorted(new_env.keys() - old_env.keys()),
        changed=sorted(n for n in old_env.keys() & new_env.keys() if old_env[n] != new_env[n]),
        removed=sorted(old_env.keys() - new_env.keys()),
        fields=[] if before is None else fields,
        set_fields=applied.set_fields,
        hidden=applied.hidden,
    )


def _variables(spec: Mapping[str, Any]) -> dict[str, object]:
    return {variable["name"]: variable for variable in spec.get("env") or ()}


def _leaves(spec: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in spec.items():
        if not above and name in _UNSHOWN:
            continue
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _field_line(change: FieldChange) -> str:
    name = name_of(change.field)
    if isinstance(change.before or change.after, list):
        return f"{name}: changed"
    before, after = ("none" if v is None else v for v in (change.before, change.after))
    return f"{name}: {before} -> {after}"


def _names(paths: Sequence[str]) -> str:
    return ", ".join(map(name_of, paths))
