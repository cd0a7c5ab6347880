"""The settings of a function that options can set: how options name them, where a spec has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knative_lambda.domain.lambda_function import LambdaFunctionSpec, Resources, Scale
from knative_lambda.domain.set_fields import is_set_field

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS: Mapping[str, str] = {
    "memory": "resources.limits.memory",
    "cpu": "resources.limits.cpu",
    "memory-request": "resources.requests.memory",
    "cpu-request": "resources.requests.cpu",
    "scale-min": "scale.min",
    "scale-max": "scale.max",
    "scale-target": "scale.target",
    "concurrency": "scale.concurrency",
    "burst-capacity": "scale.burstCapacity",
    "request-timeout": "timeoutSeconds",
}
"""The path of the field that each option sets."""

_NAMES = {path: name for name, path in OPTIONS.items()}
_ENV = "env."


def env_path(name: str) -> str:
    """Return the path of a variable."""
    return f"{_ENV}{name}"


def find_path(name: str) -> str | None:
    """Return the path that a person means by the name of an option, a variable, or a path."""
    path = name if is_set_field(name) else OPTIONS.get(name, env_path(name))
    return path if is_set_field(path) else None


def name_of(path: str) -> str:
    """Return the variable or the option; another field by its path."""
    return path.removeprefix(_ENV) if path.startswith(_ENV) else _NAMES.get(path, path)


def value_of(spec: Mapping[str, Any], path: str) -> object:
    """Return what a valid spec says, None if nothing; of a variable all that `env` has of it."""
    if path.startswith(_ENV):
        name = path.removeprefix(_ENV)
        return next((each for each in spec.get("env") or () if each["name"] == name), None)
    value: object = spec
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def put_value(spec: dict[str, Any], path: str, value: object) -> None:
    """Write one field; None removes it."""
    if path.startswith(_ENV):
        name = path.removeprefix(_ENV)
        kept = [each for each in spec.get("env") or () if each["name"] != name]
        spec["env"] = kept if value is None else [*kept, value]
        return
    *parents, last = path.split(".")
    for parent in parents:
        spec = spec.setdefault(parent, {})
    if value is None:
        spec.pop(last, None)
    else:
        spec[last] = value


def default_value(path: str) -> object:
    """Return what a spec without this field means."""
    timeout = LambdaFunctionSpec.model_fields["timeout_seconds"].default
    settings = {"scale": Scale().to_json(), "resources": Resources().to_json()}
    return value_of({**settings, "timeoutSeconds": timeout}, path)
