"""What the options of one command set and unset, and how that is applied to a spec."""

from __future__ import annotations

import copy
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kn_lambda.deploying.env_file import read_env_file, require_variable_name
from kn_lambda.deploying.settings import (
    OPTIONS,
    default_value,
    env_path,
    find_path,
    name_of,
    put_value,
    value_of,
)
from kn_lambda.deploying.validation import validate_spec
from kn_lambda.errors import WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from knative_lambda.domain.lambda_function import LambdaFunction

_REFERENCES = {"secret": "secretKeyRef", "config-map": "configMapKeyRef"}
_CREDENTIAL = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|(?:API|ACCESS|PRIVATE)_?KEY)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsChange:
    """Fields by their paths: those that get a value, and those that no option sets any more."""

    given: Mapping[str, object] = field(default_factory=dict)
    unset: Collection[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no option says anything."""
        return not self.given and not self.unset

    @property
    def credentials(self) -> list[str]:
        """Names of variables whose values were given in plain text and look like credentials."""
        values = [value for value in self.given.values() if isinstance(value, dict)]
        return [v["name"] for v in values if v.get("value") and _CREDENTIAL.fullmatch(v["name"])]


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedSettings:
    """A valid spec, the fields in it that options set, and those of them that the source sets."""

    spec: dict[str, Any]
    set_fields: Sequence[str]
    hidden: Sequence[str]


def read_change(
    *,
    env: Iterable[str],
    env_files: Iterable[Path],
    env_values_from: Iterable[str],
    unset: Iterable[str],
    settings: Mapping[str, object],
) -> SettingsChange:
    """Read the options; `settings` has the values of `OPTIONS`, None where not given."""
    variables: dict[str, dict[str, object]] = {}
    for file in env_files:
        for name, value in read_env_file(file).items():
            variables[name] = {"name": name, "value": value}
    for variable in (*map(_variable, env), *map(_reference, env_values_from)):
        variables[str(variable["name"])] = variable
    given: dict[str, object] = {env_path(name): value for name, value in variables.items()}
    given |= {OPTIONS[name]: value for name, value in settings.items() if value is not None}
    paths = [_unset_path(name) for name in unset]
    for path in paths:
        if path in given:
            raise WrongUsageError(
                f"{name_of(path)} is both set and unset", hint="Remove one of the two options."
            )
    return SettingsChange(given=given, unset=paths)


def apply_settings(
    spec: Mapping[str, Any], change: SettingsChange, before: LambdaFunction | None
) -> AppliedSettings:
    """Return a source's spec with what options set: now, or before and not unset since.

    `WrongUsageError` names each field that is invalid.
    """
    own = validate_spec(spec)
    # In one order, however often and by whichever options: another order would be a new revision.
    values = dict(sorted({**_kept(change, before), **change.given}.items()))
    result = copy.deepcopy(own)
    for path, value in values.items():
        put_value(result, path, value)
    result = validate_spec(result)
    hidden = [
        path
        for path in values
        if value_of(spec, path) is not None and value_of(own, path) != value_of(result, path)
    ]
    return AppliedSettings(spec=result, set_fields=list(values), hidden=hidden)


def change_record(record: LambdaFunction, change: SettingsChange) -> AppliedSettings:
    """Return the spec of a record with other settings; what is unset gets its default."""
    spec = record.spec.to_json()
    for path in change.unset:
        put_value(spec, path, default_value(path))
    # Before anything is validated: a variable that is replaced may break a younger rule.
    for path in change.given:
        if path.startswith(env_path("")):
            put_value(spec, path, None)
    applied = apply_settings(spec, change, record)
    return AppliedSettings(spec=applied.spec, set_fields=applied.set_fields, hidden=[])


def _kept(change: SettingsChange, before: LambdaFunction | None) -> dict[str, object]:
    if before is None:
        return {}
    spec = before.spec.to_json()
    values = {path: value_of(spec, path) for path in before.set_fields if path not in change.unset}
    return {path: value for path, value in values.items() if value is not None}


def _variable(text: str) -> dict[str, object]:
    name, separator, value = text.partition("=")
    require_variable_name(name, f"--env must be NAME=VALUE or NAME, not {name!r}")
    if separator:
        return {"name": name, "value": value}
    found = os.environ.get(name)  # noqa: TID251 # the person names it
    if found is None:
        raise WrongUsageError(
            f"--env {name} takes the value of a variable of this terminal, and there is none",
            hint=f"Export it first, or give the value: --env {name}=VALUE.",
        )
    return {"name": name, "value": found}


def _reference(text: str) -> dict[str, object]:
    name, _, origin = text.partition("=")
    kind, *parts = origin.split(":")
    if kind not in _REFERENCES or [bool(part) for part in parts] != [True, True]:
        raise WrongUsageError(
            f"--env-value-from {text!r} names no key of a Secret or a config-map",
            hint="Write NAME=secret:SECRET:KEY or NAME=config-map:MAP:KEY.",
        )
    require_variable_name(name, f"--env-value-from {text}")
    return {"name": name, _REFERENCES[kind]: {"name": parts[0], "key": parts[1]}}


def _unset_path(name: str) -> str:
    path = find_path(name)
    if path is None:
        raise WrongUsageError(
            f"--unset {name!r} is neither a variable nor a setting",
            hint=f"Settings are {', '.join(OPTIONS)}.",
        )
    return path
